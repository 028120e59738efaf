//! The errors between a sound and its captions.

use std::{io, path::PathBuf};

/// The result of every call of the transcriber.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed call of the transcriber.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// ONNX Runtime is nowhere.
    #[error(
        "ONNX Runtime is not here: no libonnxruntime in {looked}; `pip download onnxruntime` has one, or set `onnxruntime` to its path"
    )]
    NoRuntime {
        /// Every place, by commas.
        looked: String,
    },
    /// ONNX Runtime cannot be used.
    #[error("cannot use ONNX Runtime {path}: {cause}")]
    Runtime {
        /// The library's file.
        path: PathBuf,
        /// The loader's message.
        cause: String,
    },
    /// No model in the folder that should have one.
    #[error("there is no model in {}; `clipcut model pull` brings one", folder.display())]
    NoModel {
        /// As configured.
        folder: PathBuf,
    },
    /// A model's file is missing, broken or another model's.
    #[error("{}: {problem}", file.display())]
    Model {
        /// Which file.
        file: PathBuf,
        /// The fault, and the remedy.
        problem: String,
    },
    /// ONNX Runtime failed at its work.
    #[error("ONNX Runtime failed: {0}")]
    Inference(String),
    /// A language that the model does not know.
    #[error("the model does not know the language `{given}`; it knows {known}")]
    Language {
        /// As asked for.
        given: String,
        /// Every code, by commas.
        known: String,
    },
    /// A request that the model cannot serve.
    #[error("{0}")]
    Request(String),
    /// ffmpeg is not there or cannot be started.
    #[error("cannot start {program}: {cause}; `clipcut doctor` shows how to install it")]
    Start {
        /// As configured.
        program: String,
        /// The system's error.
        cause: io::Error,
    },
    /// The file has no sound.
    #[error("there is no sound in this file")]
    NoSound,
    /// ffmpeg found nothing that it could read.
    #[error("cannot read the sound: {0}")]
    Unreadable(String),
    /// The sound is longer than is taken.
    #[error("the sound is longer than {limit_seconds} s, the most that is taken")]
    TooLong {
        /// The limit.
        limit_seconds: u64,
    },
    /// Reading or writing failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The token was cancelled.
    #[error("interrupted")]
    Interrupted,
}

impl<T> From<ort::Error<T>> for Error {
    fn from(e: ort::Error<T>) -> Self {
        Self::Inference(e.to_string())
    }
}
