//! The mistakes in a caption file: which line, what stands there, and what would be right.

use std::fmt;

use crate::Cue;

/// The result of every call that reads captions.
pub type Result<T> = std::result::Result<T, Error>;

// As many as a person mends at a time.
const SHOWN: usize = 5;

/// A caption file that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Lines that are wrong, first to last; at least one.
    #[error("{}", list(.0))]
    Mistakes(Vec<Mistake>),
    /// Neither WebVTT nor SubRip.
    #[error(
        "this is neither WebVTT (first line `WEBVTT`) nor SubRip (a number, then `00:00:01,000 --> 00:00:02,000`)"
    )]
    UnknownFormat,
    /// No cue in it.
    #[error("there is no cue in this file")]
    Empty,
    /// More than we take.
    #[error("{what}: {given}, the limit is {limit}")]
    TooLarge {
        /// The thing that is too large.
        what: &'static str,
        /// As given.
        given: usize,
        /// The most that is taken.
        limit: usize,
    },
    /// Not a track as [`crate::json`] writes it.
    #[error("this is not a caption track in JSON: {0}")]
    Json(String),
}

/// One wrong line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Counted from one.
    pub line: usize,
    /// The problem, and what would be right.
    pub problem: String,
}

/// A file read leniently, as a player does: all cues that can be shown, and the mistakes in the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// In the order of the file.
    pub cues: Vec<Cue>,
    /// Lines that a player passes over without a word.
    pub mistakes: Vec<Mistake>,
}

impl Reading {
    /// Returns the cues if nothing at all was wrong.
    pub fn without_mistakes(self) -> Result<Vec<Cue>> {
        if self.mistakes.is_empty() { Ok(self.cues) } else { Err(Error::Mistakes(self.mistakes)) }
    }

    pub(crate) fn wrong(&mut self, line: usize, problem: impl Into<String>) {
        self.mistakes.push(Mistake { line, problem: problem.into() });
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

fn list(mistakes: &[Mistake]) -> String {
    let mut lines: Vec<String> = mistakes.iter().take(SHOWN).map(ToString::to_string).collect();
    if mistakes.len() > SHOWN {
        lines.push(format!("and {} more", mistakes.len() - SHOWN));
    }
    lines.join("; ")
}
