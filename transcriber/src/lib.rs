//! In charge of the way from a sound to captions: OpenAI's Whisper as ONNX, as a worker, a command and an HTTP service. Leaves
//! storage to the store, and what a caption track is to `captions`.

mod error;

pub mod audio;
pub mod mel;

pub mod model;
pub mod runtime;
pub mod tokens;

mod align;
mod cut;
mod decode;
mod pieces;
mod rules;
mod scores;
mod spectrogram;
mod thresholds;
mod words;

pub mod listen;
pub mod survey;
pub mod vad;

pub mod cues;
pub mod demo;
pub mod engine;
pub mod hub;
pub mod service;

mod worker;

pub use engine::{Config, Engine};
pub use error::{Error, Result};
pub use worker::run;
