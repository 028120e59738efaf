//! Captions as plain text: the words without times.

use crate::Cue;

/// Renders one line a cue.
pub fn render(cues: &[Cue]) -> String {
    cues.iter().map(|cue| cue.text.in_one_line() + "\n").collect()
}
