//! Caption tracks: cues and their texts, read from and written as WebVTT, SubRip, plain text and JSON, read from
//! `SubStation` Alpha, and cut into a playlist's segments. Pure: no disk, no network, and nothing else of ours, so that
//! every role may speak of cues without knowing another role.

mod clock;
mod cue;
mod encoding;
mod error;
pub mod file;
mod grid;
pub mod json;
mod lines;
mod markup;
pub mod plain;
pub mod segment;
pub mod subrip;
pub mod substation;
mod text;
mod track;
pub mod webvtt;

pub use cue::Cue;
pub use encoding::decode;
pub use error::{Error, Mistake, Reading, Result};
pub use grid::Grid;
pub use text::Text;
pub use track::{Machine, Provenance, Spoken, Track, Word};

/// The model that writes the captions of the demo video, and of nothing else.
pub const DEMO_MODEL: &str = "clipcut-demo";
