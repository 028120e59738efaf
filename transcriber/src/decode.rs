//! In charge of one window: from its spectrogram to tokens. The encoder runs once; the decoder keeps its memory of
//! keys and values, which moves from step to step and is never copied.

use ort::{
    session::SessionInputValue,
    value::{DynValue, Tensor},
};
use rand::{SeedableRng, rngs::StdRng};

use crate::{
    Result,
    align::Attention,
    model::{Model, attention_name, cache_names},
    rules::Rules,
    scores::{draw, likeliest, log_sum_exp},
};

/// The encoder's answer to a window; serves any number of decodings.
#[derive(Debug)]
pub(crate) struct Heard(DynValue);

/// What a decoding is asked for.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    /// What stands before the answer, from `<|startofprev|>` or `<|startoftranscript|>` on.
    pub(crate) prefix: &'a [u32],
    /// Whether times are written.
    pub(crate) times: bool,
    /// 0 takes the likeliest token; above, tokens are drawn.
    pub(crate) temperature: f32,
    /// For the drawing, so that it repeats.
    pub(crate) seed: [u8; 32],
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// Without the prefix and the end.
    pub(crate) tokens: Vec<u32>,
    /// One for each token.
    pub(crate) probabilities: Vec<f32>,
    /// Mean log-probability, the end included.
    pub(crate) avg_logprob: f32,
    /// The belief that nobody speaks.
    pub(crate) no_speech: f32,
    /// Where it was heard; of no heads, unless the network tells.
    pub(crate) attention: Attention,
}

/// What the decoder says after some tokens.
struct Step {
    /// A row for each token.
    scores: Vec<f32>,
    memory: Memory,
    /// Behind the last token: a row for each head that tells where it listens.
    attention: Vec<f32>,
}

/// The decoder's keys and values, in the order of `cache_names`.
struct Memory {
    own: Vec<DynValue>,
    sound: Vec<DynValue>,
}

impl Model {
    /// Runs the encoder over a window's spectrogram: bands × frames.
    pub(crate) fn hear(&mut self, spectrogram: Vec<f32>) -> Result<Heard> {
        let input = Tensor::from_array(([1, self.shape.mel_bins, self.shape.frames], spectrogram))?;
        let mut outputs = self.encoder.run(ort::inputs!["input_features" => input])?;
        let heard = outputs.remove("last_hidden_state");
        heard.map(Heard).ok_or_else(|| crate::Error::Inference("the encoder gave no answer".into()))
    }

    /// Returns the language that is spoken, and the belief in it.
    pub(crate) fn detect_language(&mut self, heard: &Heard) -> Result<Option<(String, f32)>> {
        if self.vocabulary.languages.is_empty() {
            return Ok(None);
        }
        let Step { scores, .. } = self.step(&[self.vocabulary.start], None, heard)?;
        let of = |token: u32| scores.get(token as usize).copied().unwrap_or(f32::NEG_INFINITY);
        let all: Vec<f32> = self.vocabulary.languages.iter().map(|(_, token)| of(*token)).collect();
        let total = log_sum_exp(&all);
        let best = self.vocabulary.languages.iter().max_by(|a, b| of(a.1).total_cmp(&of(b.1)));
        Ok(best.map(|(code, token)| (code.clone(), (of(*token) - total).exp())))
    }

    /// Runs the decoder until it says that the answer ends, or until its answer fills half of what it sees.
    pub(crate) fn answer(&mut self, heard: &Heard, ask: &Ask<'_>) -> Result<Answer> {
        let mut random = StdRng::from_seed(ask.seed);
        let most = (self.shape.context / 2).min(self.shape.context.saturating_sub(ask.prefix.len()));
        let Step { mut scores, mut memory, attention } = self.step(ask.prefix, None, heard)?;
        let no_speech = self.no_speech(&scores, ask.prefix);
        // What follows the prefix is in its last row.
        scores.drain(..scores.len() - self.shape.tokens);

        let mut answer = Answer {
            tokens: vec![],
            probabilities: vec![],
            avg_logprob: 0.0,
            no_speech,
            attention: Attention::new(self.alignment_heads.len()),
        };
        answer.attention.push(attention);
        let mut sum = 0.0;
        loop {
            Rules { vocabulary: &self.vocabulary, times: ask.times }.apply(&answer.tokens, &mut scores);
            let token = if ask.temperature > 0.0 {
                draw(&scores, ask.temperature, &mut random)
            } else {
                likeliest(&scores)
            };
            let log_probability = scores[token] - log_sum_exp(&scores);
            sum += log_probability;
            if token as u32 == self.vocabulary.end {
                break;
            }
            answer.tokens.push(token as u32);
            answer.probabilities.push(log_probability.exp());
            if answer.tokens.len() == most {
                break;
            }
            let attention;
            Step { scores, memory, attention } = self.step(&[token as u32], Some(memory), heard)?;
            answer.attention.push(attention);
        }
        answer.avg_logprob = sum / (answer.tokens.len() + 1) as f32;
        Ok(answer)
    }

    /// Returns the belief that nobody speaks, which the model states behind `<|startoftranscript|>`.
    fn no_speech(&self, all: &[f32], prefix: &[u32]) -> f32 {
        let start = prefix.iter().position(|token| *token == self.vocabulary.start);
        let (Some(token), Some(start)) = (self.vocabulary.no_speech, start) else { return 0.0 };
        let row = &all[start * self.shape.tokens..][..self.shape.tokens];
        row.get(token as usize).map_or(0.0, |score| (score - log_sum_exp(row)).exp())
    }

    /// Runs the decoder over `tokens`, behind those of its memory.
    fn step(&mut self, tokens: &[u32], memory: Option<Memory>, heard: &Heard) -> Result<Step> {
        let ids: Vec<i64> = tokens.iter().map(|token| i64::from(*token)).collect();
        let goes_on = memory.is_some();
        let mut memory = match memory {
            Some(memory) => memory,
            None => self.nothing_remembered()?,
        };
        let mut inputs: Vec<(std::borrow::Cow<'_, str>, SessionInputValue<'_>)> = vec![
            ("input_ids".into(), Tensor::from_array(([1, ids.len()], ids))?.into()),
            ("encoder_hidden_states".into(), (&heard.0).into()),
            ("use_cache_branch".into(), Tensor::from_array(([1], vec![goes_on]))?.into()),
        ];
        let values = memory.own.iter().chain(&memory.sound);
        for (name, value) in cache_names(self.shape.layers).zip(values) {
            inputs.push((format!("past_key_values.{name}").into(), value.into()));
        }
        let mut outputs = self.decoder.run(inputs)?;
        let (_, scores) = outputs["logits"].try_extract_tensor::<f32>()?;
        let scores = scores.to_vec();
        let mut attention = Vec::new();
        for (layer, head) in &self.alignment_heads {
            let (_, rows) = outputs[attention_name(*layer)].try_extract_tensor::<f32>()?;
            // Heads × tokens × positions.
            let width = rows.len() / self.shape.heads / tokens.len();
            let last = (head + 1) * tokens.len() - 1;
            attention.extend_from_slice(&rows[last * width..][..width]);
        }
        let mut present = cache_names(self.shape.layers).map(|name| {
            let value = outputs.remove(format!("present.{name}"));
            value.ok_or_else(|| crate::Error::Inference(format!("the decoder gave no present.{name}")))
        });
        let own = present.by_ref().take(self.shape.layers * 2).collect::<Result<Vec<_>>>()?;
        if !goes_on {
            // What it remembers of the sound comes with the first step only.
            memory.sound = present.collect::<Result<Vec<_>>>()?;
        }
        memory.own = own;
        Ok(Step { scores, memory, attention })
    }

    /// Returns what stands for a memory in the first step. The network looks at its shape alone.
    fn nothing_remembered(&self) -> Result<Memory> {
        let width = self.shape.width / self.shape.heads;
        let empty = || -> Result<DynValue> {
            Ok(Tensor::from_array(([1, self.shape.heads, 1, width], vec![0.0_f32; self.shape.width]))?
                .into_dyn())
        };
        let half = || (0..self.shape.layers * 2).map(|_| empty()).collect::<Result<Vec<_>>>();
        Ok(Memory { own: half()?, sound: half()? })
    }
}
