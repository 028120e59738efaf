//! From a sound to captions: OpenAI's Whisper in ONNX Runtime, as a worker, a command and an HTTP service. Leaves
//! storage to the store, and caption tracks to `captions`.

mod error;

pub mod audio;
pub mod mel;

pub mod model;
pub mod runtime;
pub mod tokens;

mod align;
mod chunks;
mod coverage;
mod decode;
mod logit_filters;
mod logits;
mod segments;
mod spectrogram;
mod thresholds;
mod words;

pub mod analysis;
pub mod options;
pub mod transcribe;
pub mod vad;

pub mod cues;
pub mod demo;
pub mod engine;
pub mod hub;
pub mod service;

mod worker;

pub use engine::{Config, Engine};
pub use error::{Error, Result};
pub use transcribe::Input;
pub use worker::run;
