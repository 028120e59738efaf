//! A whole track as one JSON document: cues, the machine's segments, provenance. Times are seconds.

use crate::{Error, Result, Track};

/// Renders a track; the same track gives the same bytes.
///
/// # Panics
/// Never: a track has no map whose keys are not texts.
pub fn render(track: &Track) -> String {
    let mut text = serde_json::to_string_pretty(track).expect("a track has no map whose keys are not texts");
    text.push('\n');
    text
}

/// Reads what [`render`] wrote.
pub fn parse(text: &str) -> Result<Track> {
    serde_json::from_str(text).map_err(|e| Error::Json(e.to_string()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Cue, Machine, Provenance, Spoken};

    #[test]
    fn a_track_reads_back_with_the_author_of_its_words() {
        let ms = Duration::from_millis;
        let machine = Machine {
            model: "whisper-tiny".into(),
            model_revision: None,
            model_sha256: "ab".into(),
            library: "clipcut 0.1.0".into(),
            sound_sha256: "cd".into(),
            settings: [("task".into(), "transcribe".into())].into(),
        };
        let track = Track {
            language: "en".into(),
            cues: vec![Cue::new("1", ms(1001), ms(2500), "Hello\nthere.")],
            segments: vec![Spoken {
                start: ms(1000),
                end: ms(2500),
                text: "Hello there.".into(),
                tokens: vec![],
                avg_logprob: -0.25,
                compression_ratio: 1.5,
                no_speech_prob: 0.0,
                temperature: 0.0,
                words: vec![],
            }],
            ends_at_seconds: None,
            provenance: Provenance::Machine(machine),
        };
        assert_eq!(parse(&render(&track)).unwrap(), track);
        insta::assert_snapshot!(render(&track));
    }
}
