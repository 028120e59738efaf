//! A whole track: its cues, their provenance, and the segments of a machine's.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{Cue, clock};

/// Captions of one video in one language.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Track {
    /// BCP 47; `und` when nobody knows.
    pub language: String,
    /// In the order in which they appear.
    pub cues: Vec<Cue>,
    /// The machine's segments, before they were laid out in cues; empty for captions from elsewhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segments: Vec<Spoken>,
    /// Where the sound broke off, when it did so before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at_seconds: Option<f64>,
    /// The author.
    pub provenance: Provenance,
}

/// A stretch of speech as Whisper gives it, mostly a sentence.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spoken {
    /// When it begins.
    #[serde(with = "clock::seconds")]
    pub start: Duration,
    /// When it ends.
    #[serde(with = "clock::seconds")]
    pub end: Duration,
    /// The words as text.
    pub text: String,
    /// The model's tokens, time tokens included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<u32>,
    /// Mean of the tokens' log-probabilities in the window that it stands in; 0 is certain.
    pub avg_logprob: f32,
    /// How well that window's text compresses; loops compress too well.
    pub compression_ratio: f32,
    /// The model's belief that nobody speaks in that window.
    pub no_speech_prob: f32,
    /// The temperature that the window was decoded at; 0 is greedy.
    pub temperature: f32,
    /// The words, where their times are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Word>,
}

/// One word.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Word {
    /// When it begins.
    #[serde(with = "clock::seconds")]
    pub start: Duration,
    /// When it ends.
    #[serde(with = "clock::seconds")]
    pub end: Duration,
    /// The word with its punctuation, without the space before it.
    pub word: String,
    /// The model's belief in it.
    pub probability: f32,
}

/// Where captions come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Provenance {
    /// A person wrote, uploaded or corrected them.
    Person,
    /// They were inside the video's own file.
    Source,
    /// A machine wrote them.
    Machine(Machine),
}

/// All that decides a machine's words: the same values give the same bytes again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The model's name.
    pub model: String,
    /// The hub's revision of it, where it came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_revision: Option<String>,
    /// SHA-256 over the model's files.
    pub model_sha256: String,
    /// The program and its runtime, with their versions.
    pub library: String,
    /// SHA-256 of the sound as the model's input.
    pub sound_sha256: String,
    /// Every setting that changes the words: `language`, `task`, `prompt`, thresholds.
    // The names are sorted, so that the same settings give the same bytes.
    pub settings: BTreeMap<String, String>,
}
