//! The timeline of a source: packets in decode order on one clock that never starts again. A step back and a gap in
//! sound and picture together begin a new stretch, which continues the one before; single wild times are outliers.
//! Leaves reading packets to `packets`, the filters' expressions to `setpts`.

mod order;

use std::collections::BTreeMap;

pub(crate) use order::Order;
use serde::{Deserialize, Serialize};

/// Microseconds on a clock.
type Time = i64;

/// A clock that steps back further has started again; less is a splice's overlap, which resampling takes up.
const STEP_BACK: Time = 500_000;
/// A gap in sound and picture together that is longer is an interruption of the recording.
const GAP: Time = 5_000_000;
/// The same for a picture without sound: slides stand for minutes.
const GAP_OF_PICTURE_ALONE: Time = 600_000_000;
/// New times are believed once they have gone on for this long. One wild time stamp of MPEG-TS covers a whole PES
/// packet, which holds half a second of sound at most.
const BELIEVED: Time = 1_000_000;
/// The same in packets, for streams with few or no distances between them.
const BELIEVED_PACKETS: usize = 32;
/// Fewer packets at the very beginning or end are outliers.
const FEW: usize = 3;
/// Stretches of one stream; a file with more is damaged, and its later ones count as one.
const MOST_STRETCHES: usize = 512;

/// From a byte of the file on, the timeline is the source's own clock and this shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Position of its first packet in the file.
    pub position: u64,
    /// In microseconds.
    pub shift: i64,
}

/// Sound or picture: a gap means different things in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Picture,
    Sound,
}

/// The times of a packet, as the container has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) shown: Option<Time>,
    pub(crate) decode: Option<Time>,
    pub(crate) duration: Time,
    pub(crate) position: Option<u64>,
    pub(crate) key: bool,
    /// How far its time of showing was moved, which was wild.
    pub(crate) off: Time,
}

/// A packet whose place is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Placed {
    pub(crate) packet: Packet,
    /// The stretch that it belongs to.
    pub(crate) stretch: usize,
    /// The stretch's packets before it had wild times.
    pub(crate) fresh: bool,
}

/// Builds the timeline from packets in the file's order. Memory grows with the stretches alone.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    streams: BTreeMap<u32, Stream>,
    /// The times of each stretch, on the source's own clock.
    ranges: Vec<Range>,
    outliers: u64,
}

#[derive(Debug)]
struct Stream {
    kind: Kind,
    stretch: usize,
    /// The last believed time, and the step before it.
    latest: Option<Time>,
    step: Time,
    /// Packets of the stretch so far.
    packets: u64,
    suspects: Vec<Suspect>,
    marks: Vec<Mark>,
    position: u64,
}

#[derive(Clone, Copy, Debug)]
struct Suspect {
    packet: Packet,
    time: Time,
    /// No other stream has packets in the gap before it.
    alone: bool,
}

/// From a position on, times are those of a stretch, and off by this much.
#[derive(Clone, Copy, Debug)]
struct Mark {
    position: u64,
    stretch: usize,
    off: Time,
}

#[derive(Clone, Debug, Default)]
struct Range {
    /// By stream: when its packets are first shown, and when the last one ends.
    spans: BTreeMap<u32, (Time, Time)>,
}

impl Packet {
    /// Returns the time that orders packets: of decoding, since presentation is not in order.
    fn time(&self) -> Option<Time> {
        self.decode.or(self.shown)
    }
}

/// Returns whether `next` may follow `time` on one clock.
fn follows(time: Time, next: Time) -> bool {
    next >= time - STEP_BACK && next <= time + GAP
}

impl Timeline {
    /// Returns whether a packet's time is behind those of its stream.
    pub(crate) fn steps_back(&self, id: u32, packet: &Packet) -> bool {
        let latest = self.streams.get(&id).and_then(|stream| stream.latest);
        packet.time().zip(latest).is_some_and(|(time, latest)| time < latest - STEP_BACK)
    }

    /// Takes the next packet of the file. Returns those whose place is now known, in order.
    pub(crate) fn push(&mut self, id: u32, kind: Kind, packet: Packet) -> Vec<Placed> {
        let newest = self.ranges.len().saturating_sub(1);
        let stream = self.streams.entry(id).or_insert_with(|| Stream::new(kind, newest));
        if let Some(position) = packet.position {
            stream.position = position;
        }
        let packet = Packet { position: Some(stream.position), ..packet };
        let (Some(time), Some(latest)) = (packet.time(), stream.latest) else {
            return self.believe(id, packet).into_iter().collect();
        };
        match stream.suspects.last() {
            None if follows(latest, time) => return self.believe(id, packet).into_iter().collect(),
            Some(suspect)
                if follows(latest, time)
                    && (!follows(suspect.time, time) || stream.is_nearer_to_latest(time, latest)) =>
            {
                // The stream goes on where it was, so the suspects had wild times.
                let mut placed = self.reject(id);
                placed.extend(self.believe(id, packet));
                return placed;
            }
            _ => {}
        }
        let alone = self.is_gap(id, time);
        let Some(stream) = self.streams.get_mut(&id) else { return Vec::new() };
        stream.suspects.push(Suspect { packet, time, alone });
        let first = stream.suspects[0].time;
        if stream.suspects.len() >= BELIEVED_PACKETS || (follows(first, time) && time - first >= BELIEVED) {
            return self.confirm(id);
        }
        Vec::new()
    }

    /// Places the packets that are still in doubt at the end of the file.
    pub(crate) fn finish(&mut self) -> Vec<(u32, Placed)> {
        let ids: Vec<u32> = self.streams.keys().copied().collect();
        let mut placed = Vec::new();
        for id in ids {
            while let Some(count) = self.streams.get(&id).map(|stream| stream.suspects.len())
                && count > 0
            {
                let slides = self.streams[&id].suspects[0];
                let forward = self.streams[&id].latest.is_none_or(|latest| slides.time > latest);
                // The last slide of a talk is one packet, minutes behind the one before, and right: the sound goes on
                // in between.
                let believed = count >= FEW || (forward && !slides.alone);
                let these = if believed { self.confirm(id) } else { self.reject(id) };
                placed.extend(these.into_iter().map(|it| (id, it)));
            }
        }
        placed
    }

    /// Returns how far each stretch is shifted, by its number: its first packet follows the last of those before it.
    /// Sound and picture keep their distance, so at a seam the shorter of the two waits for the other.
    pub(crate) fn shifts(&self) -> Vec<Time> {
        let mut shifts: Vec<Time> = Vec::new();
        let mut end = Time::MIN;
        for range in &self.ranges {
            let first = range.spans.values().map(|(first, _)| *first).min();
            let shift = match first {
                Some(first) if end > Time::MIN => end - first,
                _ => shifts.last().copied().unwrap_or_default(),
            };
            let last = range.spans.values().map(|(_, last)| last + shift).max();
            end = end.max(last.unwrap_or(end));
            shifts.push(shift);
        }
        shifts
    }

    /// Returns the stretches of a stream; none where the source's own clock is the timeline.
    pub(crate) fn stretches(&self, id: u32) -> Vec<Stretch> {
        let shifts = self.shifts();
        let marks = self.streams.get(&id).map(|stream| stream.marks.as_slice()).unwrap_or_default();
        let mut stretches: Vec<Stretch> = Vec::new();
        for mark in marks {
            let shift = shifts.get(mark.stretch).copied().unwrap_or_default() + mark.off;
            if stretches.last().is_none_or(|last| last.shift != shift) {
                stretches.push(Stretch { position: mark.position, shift });
            }
        }
        if stretches.iter().all(|stretch| stretch.shift == 0) { Vec::new() } else { stretches }
    }

    /// Returns where in the file each stretch but the first begins, where that is known.
    pub(crate) fn seam_positions(&self) -> Vec<u64> {
        let marks = || self.streams.values().flat_map(|stream| &stream.marks);
        let first = |stretch| marks().filter(|mark| mark.stretch == stretch).map(|mark| mark.position).min();
        let mut positions: Vec<u64> = (1..self.ranges.len()).filter_map(first).collect();
        positions.sort_unstable();
        positions.dedup();
        positions
    }

    /// Returns how often the clock started again or was interrupted.
    pub(crate) fn seams(&self) -> usize {
        self.ranges.len().saturating_sub(1)
    }

    /// Returns the packets whose time fits nowhere.
    pub(crate) fn outliers(&self) -> u64 {
        self.outliers
    }

    /// Returns whether nothing else lies in the gap between a stream's latest packet and `time`.
    fn is_gap(&self, id: u32, time: Time) -> bool {
        let stream = &self.streams[&id];
        let latest = stream.latest.unwrap_or(time);
        let others =
            self.streams.iter().filter(|(other, _)| **other != id).filter_map(|(_, other)| other.latest);
        // A stream that ended before then says nothing about this moment.
        let live: Vec<Time> = others.filter(|other| *other >= latest - GAP).collect();
        if live.iter().any(|other| *other > time - GAP) {
            return false;
        }
        !live.is_empty() || stream.kind == Kind::Sound || time - latest > GAP_OF_PICTURE_ALONE
    }

    /// Places a packet that goes on in its stream's stretch.
    fn believe(&mut self, id: u32, packet: Packet) -> Option<Placed> {
        let stream = self.streams.get_mut(&id)?;
        let stretch = stream.stretch;
        if stream.marks.is_empty() {
            stream.marks.push(Mark { position: stream.position, stretch, off: 0 });
        }
        if packet.off == 0 {
            stream.back_on_course(packet.position);
        } else {
            stream.detour(packet.position, packet.off);
            self.outliers += 1;
        }
        if let Some(time) = packet.time() {
            stream.step = stream.latest.map_or(stream.step, |latest| (time - latest).clamp(0, STEP_BACK));
            stream.latest = Some(time);
        }
        stream.packets += 1;
        if self.ranges.len() <= stretch {
            self.ranges.resize(stretch + 1, Range::default());
        }
        if let Some(shown) = packet.shown.or(packet.decode) {
            let end = shown + if packet.duration > 0 { packet.duration.min(GAP) } else { stream.step };
            let span = self.ranges[stretch].spans.entry(id).or_insert((shown, end));
            span.0 = span.0.min(shown);
            span.1 = span.1.max(end);
        }
        Some(Placed { packet, stretch, fresh: false })
    }

    /// Takes the suspects for outliers: each goes where its stream expected it.
    fn reject(&mut self, id: u32) -> Vec<Placed> {
        let Some(stream) = self.streams.get_mut(&id) else { return Vec::new() };
        let suspects = std::mem::take(&mut stream.suspects);
        let (stretch, mut expected, step) = (stream.stretch, stream.latest.unwrap_or_default(), stream.step);
        self.outliers += suspects.len() as u64;
        let mut placed = Vec::new();
        let off = suspects.first().map_or(0, |first| expected + step - first.time);
        for suspect in suspects {
            stream.detour(suspect.packet.position, off);
            expected += step;
            let packet = Packet { shown: Some(expected), decode: Some(expected), ..suspect.packet };
            stream.latest = Some(expected);
            placed.push(Placed { packet, stretch, fresh: false });
        }
        placed
    }

    /// Takes the first suspect for the start of a stretch, or for one that follows a long still; the others follow it.
    fn confirm(&mut self, id: u32) -> Vec<Placed> {
        let newest = self.ranges.len().saturating_sub(1);
        let Some(stream) = self.streams.get_mut(&id) else { return Vec::new() };
        let kind = stream.kind;
        let mut suspects = std::mem::take(&mut stream.suspects).into_iter();
        let Some(first) = suspects.next() else { return Vec::new() };
        let forward = stream.latest.is_none_or(|latest| first.time > latest);
        let mut fresh = false;
        if !forward || first.alone {
            // Another stream has come over the same seam: this one joins its stretch, and begins none of its own.
            let joins = stream.stretch < newest && self.ranges[newest].covers(first.time);
            let few = stream.packets < FEW as u64;
            if joins {
                stream.stretch = newest;
            } else if few {
                // The very first times were wild: the stretch begins here, and they right before it.
                let off = first.time - stream.latest.unwrap_or(first.time) - stream.step;
                for mark in &mut stream.marks {
                    mark.off = off;
                }
                self.outliers += stream.packets;
                fresh = true;
                let stretch = stream.stretch;
                if let Some(range) = self.ranges.get_mut(stretch) {
                    range.spans.remove(&id);
                }
            } else if newest + 1 < MOST_STRETCHES {
                stream.stretch = newest + 1;
            }
            let mark = Mark {
                position: first.packet.position.unwrap_or(stream.position),
                stretch: stream.stretch,
                off: 0,
            };
            stream.marks.push(mark);
            stream.packets = 0;
        }
        // No step is measured over a seam.
        stream.latest = None;
        let mut placed: Vec<Placed> = self.believe(id, first.packet).into_iter().collect();
        for it in &mut placed {
            it.fresh = fresh;
        }
        for suspect in suspects {
            placed.extend(self.push(id, kind, suspect.packet));
        }
        placed
    }
}

impl Stream {
    fn new(kind: Kind, stretch: usize) -> Self {
        Self {
            kind,
            stretch,
            latest: None,
            step: 0,
            packets: 0,
            suspects: Vec::new(),
            marks: Vec::new(),
            position: 0,
        }
    }

    /// Returns whether a packet goes on where the stream was before its few suspects: these stepped back a little.
    fn is_nearer_to_latest(&self, time: Time, latest: Time) -> bool {
        let suspect = self.suspects.last().map_or(latest, |suspect| suspect.time);
        self.suspects.len() < FEW && (time - latest).abs() < (time - suspect).abs()
    }

    fn detour(&mut self, position: Option<u64>, off: Time) {
        if self.marks.len() < MOST_STRETCHES {
            let position = position.unwrap_or(self.position);
            self.marks.push(Mark { position, stretch: self.stretch, off });
        }
    }

    fn back_on_course(&mut self, position: Option<u64>) {
        if self.marks.last().is_some_and(|mark| mark.off != 0) {
            self.detour(position, 0);
        }
    }
}

impl Range {
    fn covers(&self, time: Time) -> bool {
        self.spans.values().any(|(first, last)| (first - GAP..=last + GAP).contains(&time))
    }
}

#[cfg(test)]
mod tests;
