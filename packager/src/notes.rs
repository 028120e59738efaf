//! Notes on a video: one sentence for each thing that its source has and the video has not, or that was mended.

use std::time::Duration;

use store::Loss;

use crate::{
    plan::{Grid, Run},
    timeline::Timeline,
};

/// Less than half a second in all is not worth a sentence.
const WORTH_A_NOTE_MS: u64 = 500;
/// An index behind the last packet may have so many bytes in any file.
const UNREAD_BYTES: u64 = 32 << 10;
/// Of each packet MP4's index has at most its length, place and size, both of its times, and whether it is a key frame.
const LISTED_BYTES: u64 = 40;
/// Places that a sentence names.
const PLACES: usize = 3;

/// Returns the notes on a source's clock.
pub(crate) fn of(timeline: &Timeline) -> Vec<String> {
    let mut notes = Vec::new();
    match timeline.seams() {
        0 => {}
        1 => notes.push("The recording was interrupted once; its two parts follow each other.".to_owned()),
        seams => notes.push(format!(
            "The recording was interrupted {seams} times; its {} parts follow each other.",
            seams + 1
        )),
    }
    match timeline.outliers() {
        0 => {}
        1 => notes
            .push("One packet of the file has a wrong time and was put beside its neighbours.".to_owned()),
        count => notes.push(format!(
            "{count} packets of the file have wrong times and were put beside their neighbours."
        )),
    }
    notes
}

/// The packets of a file that were read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packets {
    /// Where in the file the last one ends.
    pub(crate) end: u64,
    pub(crate) count: u64,
}

/// Returns the note on the part of a file behind its last packet: a second file that was joined to it, which its
/// container's index knows nothing of. An index itself is a part too: small in most containers, and in MP4 and AVI, which
/// list every packet, as long as their count explains.
pub(crate) fn unread(container: &str, file_len: u64, Packets { end, count }: Packets) -> Option<String> {
    let rest = file_len.checked_sub(end).filter(|_| end > 0)?;
    let lists_packets = container.split(',').any(|name| matches!(name, "mov" | "avi"));
    let index = if lists_packets { count * LISTED_BYTES } else { file_len / 50 };
    (rest > UNREAD_BYTES && rest > index).then(|| {
        let percent = (rest as f64 * 100.0 / file_len as f64).round();
        format!(
            "The last {percent} % of the file belong to no picture or sound that we could read. If it was joined from several files, \
             upload these one by one, or join them with a program for video."
        )
    })
}

/// Returns the note on one of the files that a source was joined from.
pub(crate) fn unread_part(number: u32) -> String {
    format!("File {number} of those that the file was joined from could not be read and was left out.")
}

/// A part of the source that may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Picture,
    /// The only sound.
    Sound,
    /// A sound among others, by its label.
    SoundOf(&'a str),
}

/// Returns the note on what could not be decoded of a part; `None` where it is less than half a second.
pub(crate) fn lost(part: Part<'_>, losses: &[Loss], grid: &Grid) -> Option<String> {
    let whole: u64 = losses.iter().map(|loss| loss.milliseconds).sum();
    if whole < WORTH_A_NOTE_MS {
        return None;
    }
    // Segments in a row are one place.
    let mut places: Vec<Run> = Vec::new();
    for Loss { number, .. } in losses {
        match places.last_mut() {
            Some(place) if place.last == *number => place.last += 1,
            _ => places.push(Run { first: *number, last: number + 1 }),
        }
    }
    let named: Vec<String> = places.iter().take(PLACES).map(|place| between(grid, *place)).collect();
    let more = match places.len().saturating_sub(PLACES) {
        0 => String::new(),
        1 => " and one more place".to_owned(),
        more => format!(" and {more} more places"),
    };
    let (what, instead) = match part {
        Part::Picture => ("the picture".to_owned(), "the picture before stands there"),
        Part::Sound => ("the sound".to_owned(), "it is silent there"),
        Part::SoundOf(label) => (format!("the sound “{label}”"), "it is silent there"),
    };
    Some(format!(
        "{} of {what} could not be decoded, {}{more}: {instead}. The file seems to be damaged.",
        spoken(Duration::from_millis(whole)),
        named.join(", "),
    ))
}

/// Names the part of a video that a run of segments is, such as `between 0:00 and 2:00`.
pub(crate) fn between(grid: &Grid, run: Run) -> String {
    let at = |number| clock(Duration::from_secs_f64(grid.seconds(grid.start(number))));
    // Of what is shorter than a second both would be the same.
    if at(run.first) == at(run.last) {
        return format!("at {}", at(run.first));
    }
    format!("between {} and {}", at(run.first), at(run.last))
}

/// Writes a place in a video as players do: `1:03`, `1:02:03`.
pub(crate) fn clock(at: Duration) -> String {
    let seconds = at.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

fn spoken(length: Duration) -> String {
    let seconds = length.as_secs_f64();
    if seconds < 10.0 { format!("{seconds:.1} seconds") } else { format!("{seconds:.0} seconds") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_has_its_length_and_its_places() {
        let grid = Grid { timescale: 1, segment_ticks: 6, start_up_segments: 1, duration_ticks: 6000 };
        let check = |losses: &[(u32, u64)], expected: Option<&str>| {
            let losses: Vec<Loss> = losses
                .iter()
                .map(|(number, milliseconds)| Loss { number: *number, milliseconds: *milliseconds })
                .collect();
            assert_eq!(lost(Part::Picture, &losses, &grid).as_deref(), expected);
        };
        check(&[], None);
        check(&[(3, 240), (9, 240)], None);
        check(
            &[(0, 600)],
            Some(
                "0.6 seconds of the picture could not be decoded, between 0:00 and 0:06: the picture before stands there. The file seems to be damaged.",
            ),
        );
        check(
            &[(1, 6000), (2, 3000), (10, 1000), (20, 1000), (30, 1000), (700, 5000)],
            Some(
                "17 seconds of the picture could not be decoded, between 0:06 and 0:18, between 1:00 and 1:06, between 2:00 and \
                 2:06 and 2 more places: the picture before stands there. The file seems to be damaged.",
            ),
        );
    }

    #[test]
    fn a_second_file_behind_the_first_is_no_index() {
        assert_eq!(unread("flv", 10_000_000, Packets { end: 9_900_000, count: 0 }), None);
        assert_eq!(
            unread("mov,mp4,m4a,3gp,3g2,mj2", 1_000_000, Packets { end: 500_000, count: 15_000 }),
            None
        );
        assert_eq!(unread("flv", 50_000, Packets { end: 20_000, count: 0 }), None);
        assert_eq!(unread("flv", 1_000_000, Packets { end: 0, count: 0 }), None);
        assert!(unread("flv", 1_000_000, Packets { end: 900_000, count: 9_000 }).is_some());
        assert!(
            unread("mov,mp4,m4a,3gp,3g2,mj2", 1_000_000, Packets { end: 500_000, count: 9_000 })
                .unwrap()
                .starts_with("The last 50 % of the file")
        );
    }

    #[test]
    fn places_are_written_as_players_do() {
        assert_eq!(clock(Duration::from_secs(3723)), "1:02:03");
        assert_eq!(clock(Duration::from_secs(63)), "1:03");
    }
}
