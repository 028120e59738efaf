//! Samples of MP4 and MOV files by their index alone, in the order and with the times of ffmpeg's packets: two hours have
//! some megabytes of index and gigabytes of media data. Leaves files whose index says it in another way to ffprobe.

mod boxes;
mod table;

use std::collections::BTreeMap;

use mp4_atom::{Mvhd, Tkhd};

use crate::{
    Result, index,
    packets::Scan,
    source::Bytes,
    timeline::{Kind, Packet},
};
use boxes::Boxes;
use table::Table;

/// Sixty pictures a second and sound for twelve hours need 50 MB.
const MOST_BYTES: u64 = 96 << 20;
/// Tracks whose next samples are further apart are read in the order of their times, others as they lie in the file
/// (ffmpeg's `mov_find_next_sample`).
const APART: i64 = 1_000_000;

/// Streams and their kinds, by their tracks' ids.
pub(crate) type Streams = BTreeMap<u32, (u32, Kind)>;

/// A sample of a track.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Sample {
    packet: Packet,
    /// Where in the file it ends.
    end: u64,
    /// Within the edit list.
    is_shown: bool,
}

/// A track that is read, and its next sample.
struct Track {
    stream: u32,
    table: Table,
    next: Option<Sample>,
}

/// Returns the scan of all packets of `streams`, which are named by their tracks' ids; `None` where the index has samples
/// in pieces or beyond the file's end, or edits of another kind than one.
pub(crate) async fn scan(bytes: Bytes<'_>, streams: &Streams, mut scan: Scan) -> Result<Option<Scan>> {
    let Some(place) = index::movie(bytes).await?.filter(|place| place.end - place.start <= MOST_BYTES) else {
        return Ok(None);
    };
    let movie = bytes.read_at(place).await?;
    let Some(mut tracks) = tracks(&movie, streams) else { return Ok(None) };
    while let Some((stream, sample)) = next(&mut tracks) {
        scan.packet(stream, sample.packet, sample.is_shown);
        scan.reaches(sample.end);
    }
    let is_whole =
        tracks.iter().all(|track| track.table.is_read()) && scan.end_position() <= bytes.len().await?;
    scan.finish();
    Ok(is_whole.then_some(scan))
}

/// Returns the tracks of a movie that have streams, if all of these have one whose tables are whole.
fn tracks(movie: &[u8], streams: &Streams) -> Option<Vec<Track>> {
    let movie = Boxes::of(movie)?;
    // Samples of a fragmented file are elsewhere.
    if movie.body(*b"mvex").is_some() {
        return None;
    }
    let timescale = movie.read::<Mvhd>()?.timescale;
    let mut tracks = Vec::new();
    for track in movie.all(*b"trak").filter_map(Boxes::of) {
        let id = track.read::<Tkhd>()?.track_id;
        let Some((stream, kind)) = streams.get(&id) else { continue };
        let mut table = Table::read(&track, timescale).filter(|table| table.kind == *kind)?;
        let next = table.next();
        tracks.push(Track { stream: *stream, table, next });
    }
    (tracks.len() == streams.len()).then_some(tracks)
}

/// Returns the sample that ffmpeg reads next.
fn next(tracks: &mut [Track]) -> Option<(u32, Sample)> {
    let mut best: Option<(usize, Sample)> = None;
    for (n, track) in tracks.iter().enumerate() {
        let Some(sample) = track.next else { continue };
        let comes_first = best.is_none_or(|(_, best)| {
            let (time, other) = (sample.packet.decode, best.packet.decode);
            let near = time.zip(other).is_none_or(|(time, other)| (time - other).abs() <= APART);
            if near { sample.packet.position < best.packet.position } else { time < other }
        });
        if comes_first {
            best = Some((n, sample));
        }
    }
    let (n, sample) = best?;
    tracks[n].next = tracks[n].table.next();
    Some((tracks[n].stream, sample))
}
