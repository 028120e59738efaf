//! A subtitle rendition's segments (RFC 8216 §3.5): WebVTT cut on the media's grid.

use std::time::Duration;

use crate::{Cue, webvtt};

// Cue times count from the presentation's zero, and so do the media's decode times.
const TIMESTAMP_MAP: &str = "X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000";

/// Renders the segment of `[start, end)`. A cue that crosses a border stands, whole, in both segments: players
/// know it again by its times and words.
pub fn render(cues: &[Cue], start: Duration, end: Duration) -> String {
    let shown = cues.iter().filter(|cue| cue.is_shown_in(start, end));
    let mut segment = webvtt::render_with_header(Some(TIMESTAMP_MAP), shown);
    // ffmpeg reads a rendition's segments as one file: without a blank line the next header is this one's last words.
    segment.push('\n');
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cue_across_a_border_stands_in_both_segments() {
        let ms = Duration::from_millis;
        let cues = [
            Cue::new("1", ms(1000), ms(2500), "Hello"),
            Cue::new("2", ms(5000), ms(7000), "across\nthe border"),
            Cue::new("3", ms(11_000), ms(12_000), "up to it"),
        ];
        let segments: Vec<String> = (0..3).map(|n| render(&cues, ms(n * 6000), ms((n + 1) * 6000))).collect();
        insta::assert_snapshot!(segments.join("----\n"), @r"
        WEBVTT
        X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000

        1
        00:00:01.000 --> 00:00:02.500
        Hello

        2
        00:00:05.000 --> 00:00:07.000
        across
        the border

        ----
        WEBVTT
        X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000

        2
        00:00:05.000 --> 00:00:07.000
        across
        the border

        3
        00:00:11.000 --> 00:00:12.000
        up to it

        ----
        WEBVTT
        X-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00.000
        ");
    }
}
