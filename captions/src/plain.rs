//! In charge of captions as plain text: what was said, without times.

use crate::Cue;

/// Renders one line a cue.
pub fn render(cues: &[Cue]) -> String {
    cues.iter().map(|cue| cue.text.in_one_line() + "\n").collect()
}
