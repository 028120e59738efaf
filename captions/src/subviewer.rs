//! SubViewer 1 (`.sbv`), which `YouTube` exports: a line of two times, then the text.

use crate::{Cue, clock};

/// Renders the cues.
pub fn render(cues: &[Cue]) -> String {
    let time = |at| clock::render(at, '.').split_off(1);
    cues.iter().map(|cue| format!("{},{}\n{}\n\n", time(cue.start), time(cue.end), cue.text.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_cue_is_a_line_of_times_and_its_text() {
        let cue = Cue::new(String::new(), Duration::from_millis(500), Duration::from_secs(3), "One\ntwo");
        assert_eq!(render(&[cue]), "0:00:00.500,0:00:03.000\nOne\ntwo\n\n");
    }
}
