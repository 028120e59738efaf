//! One window, from its spectrogram to tokens. The encoder runs once; the decoder keeps its cache of keys and values,
//! which moves from step to step and is never copied.

use ort::{
    session::SessionInputValue,
    value::{DynValue, Tensor},
};
use rand::{SeedableRng, rngs::StdRng};

use crate::{
    Result,
    align::Attention,
    logit_filters::LogitFilters,
    logits::{argmax, log_sum_exp, sample},
    model::{Model, attention_name, cache_names},
};

/// The encoder's output for a window; serves any number of decodings.
#[derive(Debug)]
pub(crate) struct EncoderOutput(DynValue);

/// One decoding of a window, as in OpenAI's `decoding.py`.
#[derive(Debug)]
pub(crate) struct DecodingOptions<'a> {
    /// The tokens before the result, from `<|startofprev|>` or `<|startoftranscript|>` on.
    pub(crate) prefix: &'a [u32],
    /// Whether times are written.
    pub(crate) times: bool,
    /// 0 takes the argmax token; above, tokens are drawn.
    pub(crate) temperature: f32,
    /// For the drawing, so that it repeats.
    pub(crate) seed: [u8; 32],
}

/// The tokens of a window, and how sure the model is of them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DecodingResult {
    /// Without the prefix and the end.
    pub(crate) tokens: Vec<u32>,
    /// One for each token.
    pub(crate) probabilities: Vec<f32>,
    /// Mean log-probability, the end included.
    pub(crate) avg_logprob: f32,
    /// The belief that nobody speaks.
    pub(crate) no_speech: f32,
    /// The cross attention of each token; of no heads, unless the network has these outputs.
    pub(crate) attention: Attention,
}

/// The decoder's output behind some tokens.
struct Step {
    /// A row for each token.
    logits: Vec<f32>,
    cache: KvCache,
    /// Behind the last token: a row of cross attention for each alignment head.
    attention: Vec<f32>,
}

/// The decoder's keys and values, in the order of `cache_names`.
struct KvCache {
    decoder: Vec<DynValue>,
    encoder: Vec<DynValue>,
}

impl Model {
    /// Runs the encoder over a window's spectrogram: bands × frames.
    pub(crate) fn encode(&mut self, spectrogram: Vec<f32>) -> Result<EncoderOutput> {
        let input = Tensor::from_array(([1, self.shape.mel_bins, self.shape.frames], spectrogram))?;
        let mut outputs = self.encoder.run(ort::inputs!["input_features" => input])?;
        let encoded = outputs.remove("last_hidden_state");
        encoded.map(EncoderOutput).ok_or_else(|| crate::Error::Inference("the encoder gave no output".into()))
    }

    /// Returns the probability of each language, in the vocabulary's order.
    pub(crate) fn language_probabilities(&mut self, encoded: &EncoderOutput) -> Result<Vec<f32>> {
        if self.vocabulary.languages.is_empty() {
            return Ok(Vec::new());
        }
        let Step { logits, .. } = self.step(&[self.vocabulary.start], None, encoded)?;
        let of = |token: u32| logits.get(token as usize).copied().unwrap_or(f32::NEG_INFINITY);
        // Languages compete among themselves alone, as in OpenAI's `detect_language`: words may be likelier than any.
        let all: Vec<f32> = self.vocabulary.languages.iter().map(|(_, token)| of(*token)).collect();
        let total = log_sum_exp(&all);
        Ok(all.into_iter().map(|logit| (logit - total).exp()).collect())
    }

    /// Runs the decoder until it ends its text, or until that fills half of the context.
    pub(crate) fn decode(
        &mut self,
        encoded: &EncoderOutput,
        options: &DecodingOptions<'_>,
    ) -> Result<DecodingResult> {
        let mut random = StdRng::from_seed(options.seed);
        // OpenAI's `sample_len`: half of the context is the answer's, so that a prompt may fill the other.
        let most = (self.shape.context / 2).min(self.shape.context.saturating_sub(options.prefix.len()));
        let Step { mut logits, mut cache, attention } = self.step(options.prefix, None, encoded)?;
        let no_speech = self.no_speech(&logits, options.prefix);
        // The next token's logits are the last row.
        logits.drain(..logits.len() - self.shape.tokens);

        let mut result = DecodingResult {
            tokens: vec![],
            probabilities: vec![],
            avg_logprob: 0.0,
            no_speech,
            attention: Attention::new(self.alignment_heads.len()),
        };
        result.attention.push(attention);
        let mut sum = 0.0;
        loop {
            LogitFilters { vocabulary: &self.vocabulary, times: options.times }
                .apply(&result.tokens, &mut logits);
            let token = if options.temperature > 0.0 {
                sample(&logits, options.temperature, &mut random)
            } else {
                argmax(&logits)
            };
            // The log-probability is of the filtered logits at temperature 1, whatever was sampled at: OpenAI's
            // thresholds compare attempts by that.
            let log_probability = logits[token] - log_sum_exp(&logits);
            sum += log_probability;
            if token as u32 == self.vocabulary.end {
                break;
            }
            result.tokens.push(token as u32);
            result.probabilities.push(log_probability.exp());
            if result.tokens.len() == most {
                break;
            }
            let attention;
            Step { logits, cache, attention } = self.step(&[token as u32], Some(cache), encoded)?;
            result.attention.push(attention);
        }
        result.avg_logprob = sum / (result.tokens.len() + 1) as f32;
        Ok(result)
    }

    /// Returns the belief that nobody speaks, which the model states behind `<|startoftranscript|>`.
    fn no_speech(&self, all: &[f32], prefix: &[u32]) -> f32 {
        let start = prefix.iter().position(|token| *token == self.vocabulary.start);
        let (Some(token), Some(start)) = (self.vocabulary.no_speech, start) else { return 0.0 };
        let row = &all[start * self.shape.tokens..][..self.shape.tokens];
        row.get(token as usize).map_or(0.0, |logit| (logit - log_sum_exp(row)).exp())
    }

    /// Runs the decoder over `tokens`, behind those of its cache.
    fn step(&mut self, tokens: &[u32], cache: Option<KvCache>, encoded: &EncoderOutput) -> Result<Step> {
        let ids: Vec<i64> = tokens.iter().map(|token| i64::from(*token)).collect();
        let goes_on = cache.is_some();
        let mut cache = match cache {
            Some(cache) => cache,
            None => self.empty_cache()?,
        };
        let mut inputs: Vec<(std::borrow::Cow<'_, str>, SessionInputValue<'_>)> = vec![
            ("input_ids".into(), Tensor::from_array(([1, ids.len()], ids))?.into()),
            ("encoder_hidden_states".into(), (&encoded.0).into()),
            // optimum's merged decoder has both branches in one file, so that the weights are in memory once.
            ("use_cache_branch".into(), Tensor::from_array(([1], vec![goes_on]))?.into()),
        ];
        let values = cache.decoder.iter().chain(&cache.encoder);
        for (name, value) in cache_names(self.shape.layers).zip(values) {
            inputs.push((format!("past_key_values.{name}").into(), value.into()));
        }
        let mut outputs = self.decoder.run(inputs)?;
        let (_, logits) = outputs["logits"].try_extract_tensor::<f32>()?;
        let logits = logits.to_vec();
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
        let decoder = present.by_ref().take(self.shape.layers * 2).collect::<Result<Vec<_>>>()?;
        if !goes_on {
            // The keys and values of the cross attention come with the first step only.
            cache.encoder = present.collect::<Result<Vec<_>>>()?;
        }
        cache.decoder = decoder;
        Ok(Step { logits, cache, attention })
    }

    /// Returns the empty cache of the first step. The network reads its shape alone.
    fn empty_cache(&self) -> Result<KvCache> {
        let width = self.shape.width / self.shape.heads;
        let empty = || -> Result<DynValue> {
            Ok(Tensor::from_array(([1, self.shape.heads, 1, width], vec![0.0_f32; self.shape.width]))?
                .into_dyn())
        };
        let half = || (0..self.shape.layers * 2).map(|_| empty()).collect::<Result<Vec<_>>>();
        Ok(KvCache { decoder: half()?, encoder: half()? })
    }
}
