//! A whole sound, window after window, as OpenAI's `transcribe` goes through it. Each result's last time
//! is where the next window begins; results that look wrong are decoded again at higher temperatures. Windows do
//! not see one another's words, so work goes on from any finished window as if it had never stopped.

use std::ops::Range;

use captions::Spoken;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::{
    Result,
    analysis::Analysis,
    audio::{Sound, Source},
    coverage,
    decode::{DecodingOptions, DecodingResult},
    mel::{HOP, Mel, time},
    model::Model,
    options::{Options, Task},
    segments,
    spectrogram::{self, WindowSpan},
    thresholds::{Verdict, compression_ratio, is_silence, judge},
    tokens::TIME_FRAMES,
    words,
};

mod language;
mod recover;

/// A finished window: all that is needed to go on behind it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// The frame that the next window begins at.
    pub next: u64,
    /// The language, once it is known.
    pub language: Option<String>,
    /// Its words.
    pub spoken: Vec<Spoken>,
    /// Detected speech that has no words, in frames.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wordless: Vec<(u64, u64)>,
}

/// A sound to transcribe, and how.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// The sound.
    pub source: &'a Source,
    /// The options.
    pub options: &'a Options,
    /// Windows that are transcribed already; the last of them is enough when only the rest is wanted.
    pub done: &'a [Window],
    /// Ends the work early when it is cancelled.
    pub stop: &'a CancellationToken,
}

impl<'a> Input<'a> {
    /// Returns the input of a sound of which nothing is transcribed yet.
    pub fn whole(source: &'a Source, options: &'a Options, stop: &'a CancellationToken) -> Self {
        Self { source, options, done: &[], stop }
    }
}

/// Goes through a sound.
#[derive(Debug)]
pub struct Transcriber<'a> {
    model: &'a mut Model,
    analysis: &'a Analysis,
    options: &'a Options,
    stop: &'a CancellationToken,
    source: &'a Source,
    sound: Sound,
    mel: Mel,
    prompt: Vec<u32>,
    at: u64,
    /// The frame that it ends at.
    end: u64,
    language: Option<String>,
}

impl<'a> Transcriber<'a> {
    /// Begins at the beginning, or behind the last window that is done.
    pub fn new(model: &'a mut Model, analysis: &'a Analysis, input: Input<'a>) -> Result<Self> {
        let Input { source, options, done, stop } = input;
        let after = done.last();
        let prompt = match (&options.prompt, model.vocabulary.previous) {
            (Some(text), Some(previous)) if !text.trim().is_empty() => {
                let tokens = model.vocabulary.prompt(text)?;
                // The answer needs the other half.
                let most = model.shape.context / 2 - 1;
                // The end of a long prompt is kept, as in OpenAI's code: it stands nearest to the answer.
                let kept = &tokens[tokens.len().saturating_sub(most)..];
                [&[previous], kept].concat()
            }
            _ => vec![],
        };
        let mut language = after.and_then(|window| window.language.clone());
        if model.vocabulary.languages.is_empty() {
            language = Some("en".into());
        }
        if let Some(tag) = &options.language {
            language = Some(model.vocabulary.resolve(tag)?);
        }
        if options.task == Task::Translate && model.vocabulary.tasks.is_none() {
            return Err(crate::Error::Request("a model of English alone cannot translate".into()));
        }
        let mel = Mel::new(model.shape.mel_bins);
        let at = after.map_or(0, |window| window.next);
        let (sound, end) = (source.open()?, analysis.frames());
        Ok(Self { model, analysis, options, stop, source, sound, mel, prompt, at, end, language })
    }

    /// Goes on in a chunk of the sound, without a look at the rest of it. Chunks come in their order.
    pub(crate) fn go_to(&mut self, chunk: Range<u64>) {
        (self.at, self.end) = (chunk.start, chunk.end.min(self.analysis.frames()));
    }

    /// Returns the language, once it is known.
    pub(crate) fn language(&self) -> Option<&str> {
        self.language.as_deref()
    }

    /// Returns how far it is, in frames of all.
    pub fn progress(&self) -> (u64, u64) {
        (self.at.min(self.analysis.frames()), self.analysis.frames())
    }

    /// Transcribes the next window; `None` at the end.
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
        let filled = (end - self.at).min(self.model.shape.frames as u64);
        let temperatures = self.options.temperatures.clone();
        let (spoken, used) = self.decode_at(self.at, filled, &temperatures)?;
        // The next window begins later than this one at any time that the model writes, or it would be read without
        // end.
        let next = self.at + used.clamp(TIME_FRAMES, filled.max(TIME_FRAMES));
        let mut window = Window { next, language: self.language.clone(), spoken, wordless: vec![] };
        if self.options.recovers() {
            self.recover(&mut window)?;
        }
        self.at = window.next;
        Ok(Some(window))
    }

    /// Decodes the `filled` frames from `from` on, with silence behind them. Returns the sentences, and how many of the
    /// frames they cover.
    fn decode_at(&mut self, from: u64, filled: u64, temperatures: &[f32]) -> Result<(Vec<Spoken>, u64)> {
        let frames = self.model.shape.frames;
        let ends_here = from + filled >= self.analysis.frames();
        let silent_from = match from + filled {
            _ if ends_here => frames,
            // A chunk's window sees the pause behind it, and no word of the next chunk.
            end if end == self.end => frames.min((self.next_speech(end) - from) as usize),
            _ => filled as usize,
        };
        let span = WindowSpan { from, frames, silent_from };
        let spectrogram = spectrogram::render(&mut self.sound, &mut self.mel, span, self.analysis.loudest)?;
        let encoded = self.model.encode(spectrogram)?;
        let seed = Sha256::digest(format!("{} {from}", self.analysis.sha256));
        if self.language.is_none() {
            self.detect_language(&encoded, from)?;
        }
        let prefix = self.prefix()?;
        // The last attempt stands where none is accepted, as in OpenAI's `decode_with_fallback`.
        let mut best = None;
        for temperature in temperatures {
            let decoding = DecodingOptions {
                prefix: &prefix,
                times: self.options.times,
                temperature: *temperature,
                seed: seed.into(),
            };
            let result = self.model.decode(&encoded, &decoding)?;
            let text = self.model.vocabulary.text(&result.tokens)?;
            let attempt =
                Attempt { ratio: compression_ratio(text.trim()), temperature: *temperature, result };
            let verdict = judge(&attempt.result, attempt.ratio, self.options);
            best = Some(attempt);
            if verdict == Verdict::Accept {
                break;
            }
            // Six temperatures may take a minute on a small machine, and a shutdown does not wait as long.
            if self.stop.is_cancelled() {
                return Err(crate::Error::Interrupted);
            }
        }
        match best.filter(|attempt| !is_silence(&attempt.result, self.options)) {
            Some(attempt) => self.split(&attempt, from, filled),
            None => Ok((vec![], filled)),
        }
    }

    /// Returns the frame where speech begins at or after `frame`, else the sound's end.
    fn next_speech(&self, frame: u64) -> u64 {
        let starts = self.analysis.speech.iter().map(|speech| speech.start / HOP as u64);
        starts.filter(|start| *start >= frame).min().unwrap_or(self.analysis.frames())
    }

    /// Goes on to the next speech, unless that begins where a first time token can name it.
    fn skip_silence(&mut self) {
        let sample = self.at * HOP as u64;
        let next = self.analysis.speech.iter().find(|speech| speech.end > sample);
        let start = next.map_or(self.analysis.frames(), |speech| speech.start / HOP as u64);
        if start > self.at + u64::from(self.model.vocabulary.last_first_time) * TIME_FRAMES {
            self.at = start;
        }
    }

    fn prefix(&self) -> Result<Vec<u32>> {
        let vocabulary = &self.model.vocabulary;
        // The order that the model was trained on: start, language, task, times (Whisper paper, figure 1).
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

    /// Cuts a result at its pairs of times. Returns its sentences, and how many frames of the window they cover.
    fn split(&self, attempt: &Attempt, from: u64, filled: u64) -> Result<(Vec<Spoken>, u64)> {
        let vocabulary = &self.model.vocabulary;
        let tokens = &attempt.result.tokens;
        let (segments, used) = segments::split(tokens, vocabulary.first_time, filled);
        let positions = attempt.result.attention.starts((filled / TIME_FRAMES) as usize);
        let starts: Vec<u64> = positions.iter().map(|n| from + *n as u64 * TIME_FRAMES).collect();
        let only_speech = self.options.only_speech;
        let mut spoken = Vec::new();
        for segment in segments {
            let text = vocabulary.text(&segment.tokens)?.trim().to_owned();
            let (mut start, mut end) = (from + segment.start, from + segment.end);
            if only_speech {
                // The reference lets an end lie behind the sound's.
                end = end.min(from + filled);
            }
            // A sentence that begins behind the chunk belongs to the next one.
            let elsewhere = self.end < self.analysis.frames() && start >= self.end;
            if text.is_empty() || start >= end || elsewhere {
                continue;
            }
            if only_speech {
                // The model writes a breath as a dot alone.
                if !self.is_spoken(start, end) || !text.contains(char::is_alphanumeric) {
                    continue;
                }
                (start, end) = coverage::clamp(&self.analysis.certain, start..end);
            }
            let timed = words::TimedTokens {
                ids: &segment.tokens,
                probabilities: &attempt.result.probabilities[segment.from..],
                starts: starts.get(segment.from..).unwrap_or_default(),
                stretches: &words::stretches(
                    if only_speech { &self.analysis.certain } else { &[] },
                    start..end,
                ),
            };
            spoken.push(Spoken {
                start: time(start),
                end: time(end),
                words: words::of(vocabulary, &text, timed)?,
                text,
                tokens: segment.tokens,
                avg_logprob: attempt.result.avg_logprob,
                compression_ratio: attempt.ratio,
                no_speech_prob: attempt.result.no_speech,
                temperature: attempt.temperature,
            });
        }
        Ok((spoken, used))
    }

    /// Returns whether at least a tenth of the frames is speech: the model makes words of noise now and then.
    fn is_spoken(&self, start: u64, end: u64) -> bool {
        let (start, end) = (start * HOP as u64, end * HOP as u64);
        let spoken: u64 = self.analysis.speech.iter().map(|speech| speech.within(start, end)).sum();
        spoken * 10 >= end - start
    }
}

struct Attempt {
    result: DecodingResult,
    ratio: f32,
    temperature: f32,
}
