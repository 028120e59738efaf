//! A cue: a text, its times and its place on the picture.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Text, clock};

/// A text that is shown for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cue {
    /// The name within the track; the same however often the track is written. May be empty.
    pub id: String,
    /// The first moment, in whole milliseconds.
    #[serde(with = "clock::seconds")]
    pub start: Duration,
    /// The end, in whole milliseconds; later than `start`.
    #[serde(with = "clock::seconds")]
    pub end: Duration,
    /// The place on the picture, as WebVTT's cue settings; mostly empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub settings: String,
    /// The text.
    pub text: Text,
}

impl Cue {
    /// Returns a cue whose times are cut to whole milliseconds, the finest that caption formats know.
    pub fn new(id: impl Into<String>, start: Duration, end: Duration, text: &str) -> Self {
        Self {
            id: id.into(),
            start: clock::whole_millis(start),
            end: clock::whole_millis(end),
            settings: String::new(),
            text: Text::new(text),
        }
    }

    /// Returns whether any of the cue is shown in `[start, end)`.
    pub fn is_shown_in(&self, start: Duration, end: Duration) -> bool {
        // The span is half-open: a cue that ends at a border is not in the segment behind it.
        self.start < end && self.end > start
    }
}
