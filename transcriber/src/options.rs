//! The options of a transcription, and OpenAI's defaults for them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The options of a transcription.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The language's code; else it is detected in the first speech.
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
        }
    }
}

impl Options {
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
        ];
        settings.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
