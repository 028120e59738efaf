//! The transcriber by its public doors, on the demo model.
#![expect(clippy::unwrap_used, reason = "tests fail by panicking")]

mod determinism;
mod folder;
mod harness;
mod hub;
mod loopback_hub;
mod music;
mod optimized;
mod parity;
mod score;
mod service;
mod truth;
mod whisper;
mod words;
mod worker;
