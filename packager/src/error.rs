//! Errors between a source and its published segments.

use std::time::Duration;

use crate::{Refusal, trouble::Trouble};

/// The result of every call of the packager.
pub type Result<T> = std::result::Result<T, Error>;

/// A failed call of the packager.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The source cannot be taken; trying again gives the same answer.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The program is not there or cannot be started.
    #[error("cannot start {program}: {cause}; run `clipcut doctor` for how to install it")]
    Start {
        /// As configured.
        program: String,
        /// The system's error.
        cause: std::io::Error,
    },
    /// ffmpeg ended badly, or without all that was asked of it.
    #[error("ffmpeg failed while {doing}: {trouble}")]
    Ffmpeg {
        /// The task, such as `encoding the picture between 0:00 and 2:00`.
        doing: String,
        /// Where decoding stood, if it had begun.
        at: Option<Duration>,
        /// Why it ended badly; its last lines are in the log.
        trouble: Trouble,
    },
    /// The encoder's output does not match the plan.
    #[error("{rendition}: the encoder gave {given}, the plan has {planned}")]
    OffPlan {
        /// The rendition.
        rendition: String,
        /// The output that came.
        given: String,
        /// The output that the plan has.
        planned: String,
    },
    /// The encoder's output is not the MP4 that was asked for.
    #[error("unreadable MP4 from the encoder: {0}")]
    Mp4(String),
    /// Reading or writing a pipe or socket failed.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A stored plan or fact that this program did not write.
    #[error("unreadable plan: {0}")]
    Json(#[from] serde_json::Error),
    /// The run was stopped before its end.
    #[error("interrupted")]
    Interrupted,
}

impl Error {
    /// Returns the error with the place where decoding stood.
    pub(crate) fn near(self, at: Option<Duration>) -> Self {
        match self {
            Self::Ffmpeg { doing, trouble, .. } => Self::Ffmpeg { doing, at, trouble },
            other => other,
        }
    }
}

impl From<mp4_atom::Error> for Error {
    fn from(e: mp4_atom::Error) -> Self {
        Self::Mp4(e.to_string())
    }
}
