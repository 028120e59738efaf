//! The options of a transcription, and OpenAI's defaults for them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The options of a transcription.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The language's code; else it is detected in the first speech, and where that leaves doubts in more of it.
    pub language: Option<String>,
    /// The words themselves, or in English.
    pub task: Task,
    /// Whether the model writes time tokens. Without, a window is one stretch of speech.
    pub times: bool,
    /// Names and terms that are to be expected, as a text that came before each window.
    pub prompt: Option<String>,
    /// Attempt in turn until an answer looks right.
    pub temperatures: Vec<f32>,
    /// A text that compresses better is a loop.
    pub compression_ratio_most: f32,
    /// An answer whose mean log-probability is lower looks wrong.
    pub avg_logprob_least: f32,
    /// Above this belief that nobody speaks, an uncertain answer is silence.
    pub no_speech_most: f32,
    /// Whether only detected speech is decoded. The reference decodes everything.
    pub only_speech: bool,
    /// The reference whose tokens are to come out, at the cost of what it loses.
    pub parity: Parity,
}

/// The reference that the tokens are equal to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Parity {
    /// None: speech that a window has no words for is decoded again.
    #[default]
    None,
    /// transformers' long form, greedy, which skips the rest of a window behind a single time token.
    Transformers,
}

/// The task token.
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
            parity: Parity::None,
        }
    }
}

impl Parity {
    /// Returns the setting's value.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Transformers => "transformers",
        }
    }
}

/// Returns the primary subtag of a language tag, in lower case: `de` of `de-AT` and `DE_at`.
pub(crate) fn primary(tag: &str) -> String {
    // RFC 5646 §2.1 has hyphens alone; underscores come from POSIX locales and from many files.
    tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase()
}

impl Options {
    /// Returns these options with a text in front of the prompt. The end of a long one is kept, so that the nearer names win.
    #[must_use]
    pub fn behind(self, text: Option<&str>) -> Self {
        let texts = [text, self.prompt.as_deref()].into_iter().flatten().map(str::trim);
        let texts: Vec<&str> = texts.filter(|text| !text.is_empty()).collect();
        Self { prompt: (!texts.is_empty()).then(|| texts.join(" ")), ..self }
    }

    /// Returns these options with the reference's way to decode: greedy, without thresholds and speech detector.
    #[must_use]
    pub fn like(self, parity: Parity) -> Self {
        match parity {
            Parity::None => self,
            Parity::Transformers => {
                Self { temperatures: vec![0.0], no_speech_most: 1.0, only_speech: false, parity, ..self }
            }
        }
    }

    /// Returns whether speech without words is decoded again.
    pub(crate) fn recovers(&self) -> bool {
        self.only_speech && self.times && self.parity == Parity::None
    }

    /// Returns every setting that changes the words, by name.
    pub fn settings(&self) -> BTreeMap<String, String> {
        let task = if self.task == Task::Translate { "translate" } else { "transcribe" };
        let temperatures: Vec<String> = self.temperatures.iter().map(ToString::to_string).collect();
        let settings = [
            ("language", self.language.clone().unwrap_or_else(|| "detected".into())),
            ("task", task.into()),
            ("times", self.times.to_string()),
            ("prompt", self.prompt.clone().unwrap_or_default()),
            ("temperatures", temperatures.join(",")),
            ("compression_ratio_most", self.compression_ratio_most.to_string()),
            ("avg_logprob_least", self.avg_logprob_least.to_string()),
            ("no_speech_most", self.no_speech_most.to_string()),
            ("only_speech", self.only_speech.to_string()),
            ("parity", self.parity.name().into()),
        ];
        settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prompt_of_a_sound_stands_behind_that_of_all() {
        let check = |all: Option<&str>, own: Option<&str>, expected: Option<&str>| {
            let options = Options { prompt: own.map(Into::into), ..Options::default() };
            assert_eq!(options.behind(all).prompt.as_deref(), expected, "{all:?} {own:?}");
        };
        check(None, None, None);
        check(Some(" "), None, None);
        check(Some("Clip Cut, Ishmael"), None, Some("Clip Cut, Ishmael"));
        check(None, Some("Queequeg"), Some("Queequeg"));
        check(Some("Clip Cut. "), Some("Queequeg"), Some("Clip Cut. Queequeg"));
    }
}
