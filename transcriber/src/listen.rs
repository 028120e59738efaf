//! In charge of a whole sound: window after window, as OpenAI's `transcribe` goes through it. Each answer's last time
//! says where the next window begins; answers that look wrong are asked for again at higher temperatures. Windows do
//! not see one another's words, so work goes on from any finished window as if it had never stopped.

use std::{collections::BTreeMap, ops::Range, time::Duration};

use captions::Spoken;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{
    Result,
    audio::{Sound, Source},
    decode::{Answer, Ask},
    mel::{FRAMES_PER_SECOND, HOP, Mel},
    model::Model,
    pieces::pieces,
    spectrogram::{self, Place},
    survey::Survey,
    thresholds::{Verdict, compression_ratio, is_silence, judge},
    tokens::TIME_FRAMES,
    words,
};

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The language's code; else the first speech tells.
    pub language: Option<String>,
    /// The words themselves, or in English.
    pub task: Task,
    /// Whether the model says when each sentence is spoken. Without, a window is one stretch of speech.
    pub times: bool,
    /// Names and terms that are to be expected, as a text that came before each window.
    pub prompt: Option<String>,
    /// Tried in turn until an answer looks right.
    pub temperatures: Vec<f32>,
    /// A text that compresses better is a loop.
    pub compression_ratio_most: f32,
    /// An answer whose mean log-probability is lower looks wrong.
    pub avg_logprob_least: f32,
    /// Above this belief that nobody speaks, an uncertain answer is silence.
    pub no_speech_most: f32,
    /// Whether the speech detector says where to listen. Off is the reference's way.
    pub only_speech: bool,
}

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// The words in their own language.
    Transcribe,
    /// The words in English.
    Translate,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            language: None,
            task: Task::Transcribe,
            times: true,
            prompt: None,
            // OpenAI's thresholds.
            temperatures: vec![0.0, 0.2, 0.4, 0.6, 0.8, 1.0],
            compression_ratio_most: 2.4,
            avg_logprob_least: -1.0,
            no_speech_most: 0.6,
            only_speech: true,
        }
    }
}

impl Options {
    /// Returns every setting that changes what is written, by name.
    pub fn told(&self) -> BTreeMap<String, String> {
        let task = if self.task == Task::Translate { "translate" } else { "transcribe" };
        let temperatures: Vec<String> = self.temperatures.iter().map(ToString::to_string).collect();
        let told = [
            ("language", self.language.clone().unwrap_or_else(|| "detected".into())),
            ("task", task.into()),
            ("times", self.times.to_string()),
            ("prompt", self.prompt.clone().unwrap_or_default()),
            ("temperatures", temperatures.join(",")),
            ("compression_ratio_most", self.compression_ratio_most.to_string()),
            ("avg_logprob_least", self.avg_logprob_least.to_string()),
            ("no_speech_most", self.no_speech_most.to_string()),
            ("only_speech", self.only_speech.to_string()),
        ];
        told.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

/// A finished window: all that is needed to go on behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// The frame that the next window begins at.
    pub next: u64,
    /// The language, once it is known.
    pub language: Option<String>,
    /// What was said in it.
    pub spoken: Vec<Spoken>,
}

/// Goes through a sound.
#[derive(Debug)]
pub struct Listening<'a> {
    model: &'a mut Model,
    survey: &'a Survey,
    options: &'a Options,
    stop: &'a CancellationToken,
    sound: Sound,
    mel: Mel,
    prompt: Vec<u32>,
    at: u64,
    /// The frame that it ends at.
    end: u64,
    language: Option<String>,
}

impl<'a> Listening<'a> {
    /// Begins at the beginning, or behind the window `after`.
    pub fn new(
        model: &'a mut Model,
        (source, survey): (&Source, &'a Survey),
        (options, stop): (&'a Options, &'a CancellationToken),
        after: Option<&Window>,
    ) -> Result<Self> {
        let prompt = match (&options.prompt, model.vocabulary.previous) {
            (Some(text), Some(previous)) if !text.trim().is_empty() => {
                let tokens = model.vocabulary.prompt(text)?;
                // The answer needs the other half.
                let most = model.shape.context / 2 - 1;
                let kept = &tokens[tokens.len().saturating_sub(most)..];
                [&[previous], kept].concat()
            }
            _ => vec![],
        };
        let mut language = after.and_then(|window| window.language.clone());
        if model.vocabulary.languages.is_empty() {
            language = Some("en".into());
        }
        if let Some(told) = &options.language {
            if model.vocabulary.languages.is_empty() && told == "en" {
                language = Some("en".into());
            } else {
                model.vocabulary.language(told)?;
                language = Some(told.to_ascii_lowercase());
            }
        }
        if options.task == Task::Translate && model.vocabulary.tasks.is_none() {
            return Err(crate::Error::Request("a model of English alone cannot translate".into()));
        }
        let mel = Mel::new(model.shape.mel_bins);
        let at = after.map_or(0, |window| window.next);
        let (sound, end) = (source.open()?, survey.frames());
        Ok(Self { model, survey, options, stop, sound, mel, prompt, at, end, language })
    }

    /// Goes on in a piece of the sound, of which it hears nothing else. Pieces come in their order.
    pub(crate) fn go_to(&mut self, piece: Range<u64>) {
        (self.at, self.end) = (piece.start, piece.end.min(self.survey.frames()));
    }

    /// Returns the language, once it is known.
    pub(crate) fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }

    /// Returns how far it is, in frames of all.
    pub fn progress(&self) -> (u64, u64) {
        (self.at.min(self.survey.frames()), self.survey.frames())
    }

    /// Listens to the next window; `None` at the end.
    pub fn next_window(&mut self) -> Result<Option<Window>> {
        let end = self.end;
        if self.options.only_speech {
            self.skip_silence();
        }
        if self.at >= end {
            return Ok(None);
        }
        if self.stop.is_cancelled() {
            return Err(crate::Error::Interrupted);
        }
        let frames = self.model.shape.frames;
        let filled = (end - self.at).min(frames as u64) as usize;
        let silent_from = if end < self.survey.frames() && !self.options.times { filled } else { frames };
        let place = Place { from: self.at, frames, silent_from };
        let spectrogram = self.spectrogram(place)?;
        let heard = self.model.hear(spectrogram)?;
        let seed = Sha256::digest(format!("{} {}", self.survey.sha256, self.at));
        if self.language.is_none() {
            self.language = self.model.detect_language(&heard)?.map(|(code, _)| code);
        }
        let prefix = self.prefix()?;
        let mut best = None;
        for temperature in &self.options.temperatures {
            let ask = Ask {
                prefix: &prefix,
                times: self.options.times,
                temperature: *temperature,
                seed: seed.into(),
            };
            let answer = self.model.answer(&heard, &ask)?;
            let text = self.model.vocabulary.text(&answer.tokens)?;
            let tried = Tried { ratio: compression_ratio(text.trim()), temperature: *temperature, answer };
            let verdict = judge(&tried.answer, tried.ratio, self.options);
            best = Some(tried);
            if verdict == Verdict::Take {
                break;
            }
            if self.stop.is_cancelled() {
                return Err(crate::Error::Interrupted);
            }
        }
        let mut window =
            Window { next: self.at + filled as u64, language: self.language.clone(), spoken: vec![] };
        if let Some(tried) = best.filter(|tried| !is_silence(&tried.answer, self.options)) {
            let (spoken, used) = self.split(&tried, filled as u64)?;
            window.spoken = spoken;
            // Whatever the model says, the next window begins later than this one.
            window.next = self.at + used.clamp(TIME_FRAMES, filled.max(TIME_FRAMES as usize) as u64);
        }
        self.at = window.next;
        Ok(Some(window))
    }

    fn spectrogram(&mut self, place: Place) -> Result<Vec<f32>> {
        spectrogram::render(&mut self.sound, &mut self.mel, place, self.survey.loudest)
    }

    /// Goes on to the next speech, unless the model can tell by itself when in its window that begins.
    fn skip_silence(&mut self) {
        let sample = self.at * HOP as u64;
        let next = self.survey.speech.iter().find(|speech| speech.end > sample);
        let start = next.map_or(self.survey.frames(), |speech| speech.start / HOP as u64);
        if start > self.at + u64::from(self.model.vocabulary.last_first_time) * TIME_FRAMES {
            self.at = start;
        }
    }

    fn prefix(&self) -> Result<Vec<u32>> {
        let vocabulary = &self.model.vocabulary;
        let mut prefix = self.prompt.clone();
        prefix.push(vocabulary.start);
        if let (Some(tasks), Some(language)) = (vocabulary.tasks, &self.language)
            && !vocabulary.languages.is_empty()
        {
            prefix.push(vocabulary.language(language)?);
            prefix.push(if self.options.task == Task::Translate {
                tasks.translate
            } else {
                tasks.transcribe
            });
        }
        if !self.options.times {
            prefix.push(vocabulary.no_times);
        }
        Ok(prefix)
    }

    /// Cuts an answer at its pairs of times. Returns what was said, and how many frames of the window that covers.
    fn split(&self, tried: &Tried, filled: u64) -> Result<(Vec<Spoken>, u64)> {
        let vocabulary = &self.model.vocabulary;
        let tokens = &tried.answer.tokens;
        let (pieces, used) = pieces(tokens, vocabulary.first_time, filled);
        let positions = tried.answer.attention.starts((filled / TIME_FRAMES) as usize);
        let starts: Vec<u64> = positions.iter().map(|n| self.at + *n as u64 * TIME_FRAMES).collect();
        let only_speech = self.options.only_speech;
        let mut spoken = Vec::new();
        for piece in pieces {
            let text = vocabulary.text(&piece.tokens)?.trim().to_owned();
            let (mut start, mut end) = (self.at + piece.start, self.at + piece.end);
            // What begins behind the piece that is listened to belongs to the next one.
            let elsewhere = self.end < self.survey.frames() && start >= self.end;
            if text.is_empty() || start >= end || elsewhere {
                continue;
            }
            if only_speech {
                // A dot alone is what the model makes of a breath.
                if !self.is_spoken(start, end) || !text.contains(char::is_alphanumeric) {
                    continue;
                }
                (start, end) = self.as_heard(start, end);
            }
            let timed = words::Said {
                ids: &piece.tokens,
                probabilities: &tried.answer.probabilities[piece.from..],
                starts: starts.get(piece.from..).unwrap_or_default(),
                heard: &words::stretches(if only_speech { &self.survey.speech } else { &[] }, start..end),
            };
            spoken.push(Spoken {
                start: time(start),
                end: time(end),
                words: words::of(vocabulary, &text, timed)?,
                text,
                tokens: piece.tokens,
                avg_logprob: tried.answer.avg_logprob,
                compression_ratio: tried.ratio,
                no_speech_prob: tried.answer.no_speech,
                temperature: tried.temperature,
            });
        }
        Ok((spoken, used))
    }

    /// Returns whether at least a tenth of the frames is speech: the model makes words of noise now and then.
    fn is_spoken(&self, start: u64, end: u64) -> bool {
        let (start, end) = (start * HOP as u64, end * HOP as u64);
        let spoken: u64 = self.survey.speech.iter().map(|speech| speech.within(start, end)).sum();
        spoken * 10 >= end - start
    }

    /// Takes the time of a sentence that begins or ends in silence from the detector: the model is wrong there.
    fn as_heard(&self, start: u64, end: u64) -> (u64, u64) {
        let (from, to) = (start * HOP as u64, end * HOP as u64);
        let mut within = self.survey.speech.iter().filter(|speech| speech.within(from, to) > 0);
        let Some(first) = within.next() else { return (start, end) };
        let last = within.next_back().unwrap_or(first);
        let ends = to.min(last.end);
        let begins = if from < first.start { first.certain_start().min(ends - HOP as u64) } else { from };
        (begins / HOP as u64, ends.div_ceil(HOP as u64))
    }
}

struct Tried {
    answer: Answer,
    ratio: f32,
    temperature: f32,
}

pub(crate) fn time(frames: u64) -> Duration {
    Duration::from_millis(frames * 1000 / FRAMES_PER_SECOND as u64)
}
