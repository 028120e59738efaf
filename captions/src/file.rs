//! A caption file that a person hands over: any encoding, either format, checked line by line.

use crate::{Cue, Error, Result, decode, subrip, webvtt};

/// The largest file that is taken: ten times a long film's.
pub const MAX_BYTES: usize = 4 << 20;
/// The most cues in a file: one every half second for twelve hours.
pub const MAX_CUES: usize = 86_400;

/// Reads `bytes` as WebVTT or SubRip, whichever it is. Cues come sorted by their start and each has an id of its
/// own. Any mistake refuses the file.
pub fn read(bytes: &[u8]) -> Result<Vec<Cue>> {
    within("bytes of the file", bytes.len(), MAX_BYTES)?;
    let written = decode(bytes);
    // WebVTT is tried first: its first line is certain, and SubRip has none of its own.
    let reading = if webvtt::is_webvtt(&written) {
        webvtt::parse(&written)
    } else if subrip::is_subrip(&written) {
        subrip::parse(&written)
    } else {
        return Err(Error::UnknownFormat);
    };
    let mut cues = reading.without_mistakes()?;
    cues.retain(|cue| !cue.text.is_empty());
    within("cues in the file", cues.len(), MAX_CUES)?;
    if cues.is_empty() {
        return Err(Error::Empty);
    }
    // SubRip's may stand in any order, and WebVTT's must not (cue timings).
    cues.sort_by_key(|cue| (cue.start, cue.end));
    name_apart(&mut cues);
    Ok(cues)
}

/// Gives cues without an id, or with another's, the first free number.
pub fn name_apart(cues: &mut [Cue]) {
    let mut taken = std::collections::BTreeSet::new();
    let own: Vec<bool> = cues.iter().map(|cue| !cue.id.is_empty() && taken.insert(cue.id.clone())).collect();
    let mut numbers = (1..).map(|n: u64| n.to_string());
    for (cue, own) in cues.iter_mut().zip(own) {
        if !own {
            cue.id = numbers.find(|n| !taken.contains(n)).unwrap_or_default();
        }
    }
}

fn within(what: &'static str, given: usize, limit: usize) -> Result<()> {
    if given > limit { Err(Error::TooLarge { what, given, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_format_is_taken_and_cues_get_ids_and_order() {
        let ids = |bytes: &[u8]| read(bytes).unwrap().iter().map(|cue| cue.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(b"WEBVTT\n\n00:05.000 --> 00:06.000\nb\n\n1\n00:01.000 --> 00:02.000\na"), ["1", "2"]);
        assert_eq!(
            ids(b"7\n00:00:01,000 --> 00:00:02,000\na\n\n7\n00:00:03,000 --> 00:00:04,000\nb"),
            ["7", "1"]
        );
    }

    #[test]
    fn a_file_of_something_else_is_refused_with_what_would_be_right() {
        let check = |bytes: &[u8], part: &str| {
            let refusal = read(bytes).unwrap_err().to_string();
            assert!(refusal.contains(part), "{refusal}");
        };
        check(b"hello", "neither WebVTT");
        check(b"", "neither WebVTT");
        check(b"WEBVTT\n\n", "no cue");
        check(b"WEBVTT\n\n00:02.000 --> 00:01.000\nx", "line 3");
        check(&vec![b'a'; MAX_BYTES + 1], "the limit is 4194304");
    }
}
