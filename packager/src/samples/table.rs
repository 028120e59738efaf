//! The sample tables of one track (ISO/IEC 14496-12 §8.6, §8.7), read sample by sample: memory is that of the tables.

use std::{iter::Peekable, vec};

use mp4_atom::{Co64, Ctts, Elst, FourCC, Hdlr, Mdhd, Stco, Stsc, StscEntry, Stss, Stsz, StszSamples, Stts};

use super::{Sample, boxes::Boxes};
use crate::timeline::{Kind, Packet};

/// Values that are each the same for a number of samples.
#[derive(Debug)]
struct Runs<T> {
    entries: vec::IntoIter<(u32, T)>,
    current: Option<(u32, T)>,
}

/// Samples of uncompressed sound, each a moment of all channels, that ffmpeg gives as one packet.
const UNCOMPRESSED: u32 = 1024;
/// More than twelve hours have of frames; moments of uncompressed sound are counted together.
const MOST_IDENTICAL: u32 = 1 << 31;

/// The sizes of the samples that are still to come.
#[derive(Debug)]
enum Sizes {
    Identical { left: u32, size: u32 },
    Different(vec::IntoIter<u32>),
}

/// The samples of a track that are still to come.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) kind: Kind,
    timescale: i64,
    edit: Edit,
    durations: Runs<u32>,
    /// From decoding to composition; absent where both are one.
    offsets: Option<Runs<i64>>,
    /// How far composition may lie before decoding, where offsets are signed.
    reorder: i64,
    /// Numbers of key samples, from 1; absent where all are.
    keys: Option<Peekable<vec::IntoIter<u32>>>,
    sizes: Sizes,
    most_a_packet: u32,
    chunks: Chunks,
    /// The next sample's number, from 0, and its time of decoding in the media.
    number: u32,
    decode: i64,
    /// The first time of the media that a sample within the edit has.
    earliest: i64,
    /// The tables end before their samples.
    is_broken: bool,
}

/// The part of the media that is shown, in the track's own ticks.
#[derive(Clone, Copy, Debug)]
struct Edit {
    /// Added to the media's times.
    shift: i64,
    /// The first time of the media that is shown.
    start: i64,
    /// Behind the last one; `None` for the media's own end.
    end: Option<i64>,
}

/// Where samples lie in the file.
#[derive(Debug)]
struct Chunks {
    places: vec::IntoIter<u64>,
    layouts: Peekable<vec::IntoIter<StscEntry>>,
    per_chunk: u32,
    /// The current chunk's number, from 1.
    number: u32,
    left: u32,
    at: u64,
}

impl Table {
    /// Reads the tables of a track; `None` where they are not whole, or in a form that ffmpeg gives other packets for than
    /// one a sample. `movie_timescale` is that of edits.
    pub(super) fn read(track: &Boxes<'_>, movie_timescale: u32) -> Option<Self> {
        let media = Boxes::of(track.body(*b"mdia")?)?;
        let tables = Boxes::of(Boxes::of(media.body(*b"minf")?)?.body(*b"stbl")?)?;
        let kind = match media.read::<Hdlr>()?.handler {
            handler if handler == FourCC::new(b"vide") => Kind::Picture,
            handler if handler == FourCC::new(b"soun") => Kind::Sound,
            _ => return None,
        };
        // A second description changes what decodes the samples behind it.
        if tables.body(*b"stsd")?.get(4..8)? != 1_u32.to_be_bytes() {
            return None;
        }
        let timescale = media.read::<Mdhd>()?.timescale;
        if timescale == 0 || movie_timescale == 0 {
            return None;
        }
        let sizes = Sizes::of(tables.read::<Stsz>()?)?;
        let durations: Vec<(u32, u32)> = tables
            .read::<Stts>()?
            .entries
            .iter()
            .map(|entry| (entry.sample_count, entry.sample_delta))
            .collect();
        let offsets = match tables.body(*b"ctts") {
            Some(_) => Some(tables.read::<Ctts>()?.entries),
            None => None,
        };
        let offsets: Option<Vec<(u32, i64)>> =
            offsets.map(|all| all.iter().map(|entry| (entry.sample_count, entry.sample_offset)).collect());
        let keys = match tables.body(*b"stss") {
            Some(_) => Some(tables.read::<Stss>()?.entries.into_iter().peekable()),
            None => None,
        };
        // Places beyond 4 GiB are in `co64`, and `stco` is absent then (ISO/IEC 14496-12 §8.7.5).
        let places = match tables.body(*b"co64") {
            Some(_) => tables.read::<Co64>()?.entries,
            None => tables.read::<Stco>()?.entries.into_iter().map(u64::from).collect(),
        };
        // Sound whose samples last a tick is uncompressed: ffmpeg joins its samples to packets, and knows one size
        // for all.
        let most_a_packet = match (kind, durations.as_slice()) {
            (Kind::Sound, [(_, 1)]) if matches!(sizes, Sizes::Different(_)) => return None,
            (Kind::Sound, [(_, 1)]) => UNCOMPRESSED,
            _ => 1,
        };
        let lowest = offsets.iter().flatten().map(|(_, offset)| *offset).min().unwrap_or_default();
        let edit = edit(track, movie_timescale, timescale)?;
        Some(Self {
            kind,
            timescale: i64::from(timescale),
            edit,
            durations: Runs::of(durations),
            offsets: offsets.map(Runs::of),
            reorder: lowest.min(0).saturating_neg(),
            keys,
            sizes,
            most_a_packet,
            chunks: Chunks::of(places, tables.read::<Stsc>()?),
            number: 0,
            decode: 0,
            earliest: i64::MAX,
            is_broken: false,
        })
    }

    /// Returns whether all samples were read. A picture's edit that begins between two of them would have others moved to
    /// its place, in ffmpeg's own order.
    pub(super) fn is_read(&self) -> bool {
        let begins_there =
            self.kind == Kind::Sound || self.edit.start == 0 || self.earliest == self.edit.start;
        self.sizes.is_empty() && !self.is_broken && begins_there
    }

    fn micros(&self, ticks: i64) -> i64 {
        (ticks as f64 * 1e6 / self.timescale as f64).round() as i64
    }

    fn sample(&mut self) -> Option<Sample> {
        let count = self.chunks.count()?.min(self.most_a_packet);
        let size = self.sizes.take(count)?;
        let duration = i64::from(self.durations.next()?) * i64::from(count);
        let composed = self.decode + self.offsets.as_mut().map_or(Some(0), Iterator::next)?;
        let position = self.chunks.take(count, size)?;
        let key = self.is_key();
        let Edit { shift, start, end } = self.edit;
        // Sound that an edit begins within is decoded and cut (ffmpeg's `mov_fix_index`); a picture is shown or not.
        let begins = composed >= start || self.kind == Kind::Sound && composed + duration > start;
        // Where composition is out of order, the last sample is not what an edit ends with.
        let ends = end.filter(|_| self.offsets.is_none()).unwrap_or(i64::MAX).min(composed + duration);
        let packet = Packet {
            shown: Some(self.micros(composed + shift)),
            // ffmpeg's demuxer moves decode times back by the largest negative offset (`dts_shift`).
            decode: Some(self.micros(self.decode - self.reorder + shift)),
            duration: self.micros(ends - composed).max(0),
            position: Some(position),
            key,
            off: 0,
        };
        let is_shown = begins && end.is_none_or(|end| composed < end);
        if is_shown {
            self.earliest = self.earliest.min(composed);
        }
        self.decode += duration;
        self.number += count;
        Some(Sample { packet, end: position + size, is_shown })
    }

    fn is_key(&mut self) -> bool {
        let number = self.number + 1;
        self.keys.as_mut().is_none_or(|keys| {
            while keys.next_if(|key| *key < number).is_some() {}
            keys.peek() == Some(&number)
        })
    }
}

impl Iterator for Table {
    type Item = Sample;

    fn next(&mut self) -> Option<Sample> {
        if self.is_broken || self.sizes.is_empty() {
            return None;
        }
        let sample = self.sample();
        self.is_broken = sample.is_none();
        sample
    }
}

/// Reads a track's edit list: none, or one edit at the media's own pace, which may begin late. `None` for others.
fn edit(track: &Boxes<'_>, movie: u32, timescale: u32) -> Option<Edit> {
    let whole = Edit { shift: 0, start: 0, end: None };
    let Some(list) = track.body(*b"edts") else { return Some(whole) };
    let list = Boxes::of(list)?;
    if list.body(*b"elst").is_none() {
        return Some(whole);
    }
    let entries = list.read::<Elst>()?.entries;
    let ticks = |duration: u64| {
        let scaled =
            (u128::from(duration) * u128::from(timescale) + u128::from(movie) / 2) / u128::from(movie);
        // A quarter of the range: sums of such times cannot overflow.
        i64::try_from(scaled).ok().filter(|ticks| *ticks < i64::MAX / 4)
    };
    let (late, edit) = match entries.as_slice() {
        [] => return Some(whole),
        [edit] => (0, edit),
        [late, edit] if late.media_time.is_none() => (ticks(late.segment_duration)?, edit),
        _ => return None,
    };
    let start = i64::try_from(edit.media_time?).ok().filter(|start| *start < i64::MAX / 4)?;
    if edit.media_rate != 1.into() {
        return None;
    }
    // Of no length: to the media's end, as fragmented files have it.
    let end = (edit.segment_duration > 0).then_some(start + ticks(edit.segment_duration)?);
    Some(Edit { shift: late - start, start, end })
}

impl<T: Copy> Runs<T> {
    fn of(entries: Vec<(u32, T)>) -> Self {
        Self { entries: entries.into_iter(), current: None }
    }
}

impl<T: Copy> Iterator for Runs<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        loop {
            match &mut self.current {
                Some((left, value)) if *left > 0 => {
                    *left -= 1;
                    return Some(*value);
                }
                _ => self.current = Some(self.entries.next()?),
            }
        }
    }
}

impl Chunks {
    fn of(places: Vec<u64>, layouts: Stsc) -> Self {
        let layouts = layouts.entries.into_iter().peekable();
        Self { places: places.into_iter(), layouts, per_chunk: 0, number: 0, left: 0, at: 0 }
    }

    /// Returns how many samples the current chunk still has, or the next one.
    fn count(&mut self) -> Option<u32> {
        if self.left == 0 {
            self.at = self.places.next()?;
            self.number += 1;
            if let Some(layout) = self.layouts.next_if(|layout| layout.first_chunk <= self.number) {
                self.per_chunk = layout.samples_per_chunk;
            }
            self.left = self.per_chunk;
        }
        (self.left > 0).then_some(self.left)
    }

    /// Returns where the next `count` samples of the current chunk lie, of `size` bytes together.
    fn take(&mut self, count: u32, size: u64) -> Option<u64> {
        self.left = self.left.checked_sub(count)?;
        let at = self.at;
        self.at = at.checked_add(size)?;
        Some(at)
    }
}

impl Sizes {
    fn of(table: Stsz) -> Option<Self> {
        match table.samples {
            StszSamples::Identical { count, size } => {
                (count <= MOST_IDENTICAL).then_some(Self::Identical { left: count, size })
            }
            StszSamples::Different { sizes } => Some(Self::Different(sizes.into_iter())),
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::Identical { left, .. } => *left == 0,
            Self::Different(sizes) => sizes.len() == 0,
        }
    }

    /// Returns the size of the next `count` samples together.
    fn take(&mut self, count: u32) -> Option<u64> {
        match self {
            Self::Identical { left, size } => {
                *left = left.checked_sub(count)?;
                Some(u64::from(*size) * u64::from(count))
            }
            Self::Different(sizes) => sizes.next().filter(|_| count == 1).map(u64::from),
        }
    }
}
