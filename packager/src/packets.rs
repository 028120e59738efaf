//! The packet scan: one line per packet in, the truth about each stream's times out.
//! Memory stays constant however long the file. Leaves running ffprobe to `probe`.

use std::collections::BTreeMap;

use crate::{
    decoded::ROUNDING_MICROSECONDS,
    spread::Spread,
    timeline::{Kind, Order, Packet, Placed, Stretch, Timeline},
};

/// A fragment has fewer packets; edit lists with more before a picture are none.
const MOST_WITHHELD: usize = 2000;
const SECOND: i64 = 1_000_000;
/// A container's start and its first packet are no further apart.
const NEAR: i64 = 1_000_000;
/// Key frames that are nearer to the one before are left out, so that memory is bounded by a source's length.
const KEY_FRAMES_APART: i64 = 1_000_000;

/// Seconds that packets are counted in; longer sources are beyond every limit.
const MOST_SECONDS: usize = 100_000;

/// The scan's result for one stream. Times are in microseconds on the timeline.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Track {
    /// Packets that are shown; those before an edit list's start aren't counted.
    pub(crate) packets: u64,
    /// The earliest presentation.
    pub(crate) first: i64,
    /// The latest presentation.
    pub(crate) last: i64,
    /// Where the latest presentation ends; as `last` when no packet has a duration.
    pub(crate) end: i64,
    /// Packets that are shown in each second from the container's start.
    pub(crate) counts: Vec<u32>,
    /// Where the source's own clock is not the timeline.
    pub(crate) stretches: Vec<Stretch>,
    /// Key frames, at least a second apart: places where decoding may start.
    pub(crate) key_frames: Vec<i64>,
    /// Packets in each second of each stretch, on the source's own clock.
    seconds: BTreeMap<(usize, i64), u32>,
    /// First, last and end in each stretch, on the source's own clock.
    spans: Vec<Option<Span>>,
    /// The stretch and the decode time of the packet before.
    previous: Option<(usize, i64)>,
    /// Distances between packets.
    pub(crate) spread: Spread,
    /// Of all presentation times, on the source's own clock.
    sum: i128,
    /// The time in all stretches together, from each one's first packet to its last; and how many stretches there are.
    moving: (i64, u64),
    /// Packets have no time of their own: their container has one for several that begin together.
    pub(crate) untimed: bool,
    /// How long behind its decoding the first picture is shown; `None` where the file does not state it.
    delay: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    first: i64,
    last: i64,
    end: i64,
}

/// A packet with a time, as far as one behind it without a time needs it.
#[derive(Clone, Copy, Debug)]
struct Before {
    /// Where it ends in decoding.
    decoded: i64,
    /// How long behind its decoding a picture is shown, once their order is undone; `None` where none has a time for that.
    delay: Option<i64>,
}

/// The streams of sound and picture by index.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    kinds: BTreeMap<u32, Kind>,
    tracks: BTreeMap<u32, Track>,
    timeline: Timeline,
    orders: BTreeMap<u32, Order>,
    /// Packets of each stream that are not shown, since the last one that is.
    withheld: BTreeMap<u32, Vec<Packet>>,
    /// The packet before of each picture, for those that have no time of their own.
    before: BTreeMap<u32, Before>,
    /// The container's start, which seconds are counted from.
    start: i64,
    /// Where in the file the last packet ends.
    end_position: u64,
    /// All packets of all streams.
    packets: u64,
}

impl Scan {
    /// Returns a scan of these streams; the packets of others are passed over.
    pub(crate) fn of(kinds: BTreeMap<u32, Kind>) -> Self {
        Self { kinds, ..Self::default() }
    }

    /// Counts seconds from the container's start.
    pub(crate) fn counted_from(self, start: i64) -> Self {
        Self { start, ..self }
    }

    /// Takes one line of ffprobe's `stream_index,pts_time,dts_time,duration_time,size,pos,flags`. Lines that
    /// are none of that (ffprobe ends some sections with an empty one) are passed over.
    pub(crate) fn line(&mut self, line: &str) {
        let mut fields = line.trim_end().split(',');
        let Some(stream) = fields.next().and_then(|index| index.parse().ok()) else {
            return;
        };
        let mut time = || fields.next().and_then(microseconds);
        let (shown, decode, duration) = (time(), time(), time());
        let mut number = || fields.next().and_then(|number| number.parse::<u64>().ok());
        let (size, position) = (number(), number());
        if let (Some(size), Some(position)) = (size, position) {
            self.reaches(position.saturating_add(size));
        }
        let flags = fields.next().unwrap_or_default();
        let key = flags.starts_with('K');
        let packet = Packet { shown, decode, duration: duration.unwrap_or(0).max(0), position, key, off: 0 };
        // `D`: decoded for what follows, never shown (edit lists, encoder delay).
        self.packet(stream, packet, !flags.contains('D'));
    }

    /// Notes that the file has packets up to this place.
    pub(crate) fn reaches(&mut self, position: u64) {
        self.end_position = self.end_position.max(position);
    }

    /// Takes a packet, in the order of the file.
    pub(crate) fn packet(&mut self, stream: u32, mut packet: Packet, is_shown: bool) {
        self.packets += 1;
        let Some(kind) = self.kinds.get(&stream).copied() else {
            return;
        };
        if kind == Kind::Picture {
            self.follow(stream, &mut packet);
        }
        let withheld = self.withheld.entry(stream).or_default();
        if !is_shown {
            if withheld.len() < MOST_WITHHELD {
                withheld.push(packet);
            }
            return;
        }
        // But behind a step back it is a fragment of a file that was joined to another, which ffmpeg's MP4 demuxer
        // flags because its times are not above those before.
        let withheld = std::mem::take(withheld);
        if self.timeline.steps_back(stream, &packet) {
            for packet in withheld {
                self.push(stream, kind, packet);
            }
        }
        self.push(stream, kind, packet);
    }

    /// Gives a packet without a time that of its decoding behind the one before, and the delay of the first: in its order,
    /// others are shown at that time, but as many of them. Program streams have a time for the first of several pictures
    /// that begin in one packet (ISO/IEC 13818-1 §2.7.4), and ffmpeg knows the others' where their order is simple.
    fn follow(&mut self, stream: u32, packet: &mut Packet) {
        let before = self.before.get(&stream).copied();
        if let (None, true, Some(Before { decoded, delay })) = (packet.shown, packet.duration > 0, before)
            && (packet.decode.is_none() || delay.is_some())
        {
            let decode = packet.decode.unwrap_or(decoded);
            (packet.shown, packet.decode) = (Some(decode + delay.unwrap_or_default()), Some(decode));
            self.tracks.entry(stream).or_default().untimed = true;
        }
        let Some(decode) = packet.decode.or(packet.shown) else { return };
        let delay = before.map_or_else(|| packet.shown.map(|shown| shown - decode), |it| it.delay);
        self.before.insert(stream, Before { decoded: decode + packet.duration, delay });
        self.tracks.entry(stream).or_default().delay = delay;
    }

    fn push(&mut self, stream: u32, kind: Kind, packet: Packet) {
        let judged = self.orders.entry(stream).or_default().push(packet);
        self.place(stream, kind, judged);
    }

    fn place(&mut self, stream: u32, kind: Kind, packets: Vec<Packet>) {
        for packet in packets {
            for placed in self.timeline.push(stream, kind, packet) {
                self.tracks.entry(stream).or_default().packet(placed, self.start);
            }
        }
    }

    /// Puts all tracks on the timeline, once every line is taken.
    pub(crate) fn finish(&mut self) {
        for (stream, kind) in self.kinds.clone() {
            let judged = self.orders.get_mut(&stream).map(Order::finish).unwrap_or_default();
            self.place(stream, kind, judged);
        }
        for (stream, placed) in self.timeline.finish() {
            self.tracks.entry(stream).or_default().packet(placed, self.start);
        }
        let shifts = self.timeline.shifts();
        for (stream, track) in &mut self.tracks {
            track.place(&shifts);
            track.stretches = self.timeline.stretches(*stream);
        }
        // Where the container's start is one of its wild times, nobody knows which second is which.
        let known = self.start(self.start) == self.start;
        for track in self.tracks.values_mut().filter(|_| known) {
            track.count(&shifts);
        }
    }

    pub(crate) fn track(&self, stream: u32) -> Option<&Track> {
        self.tracks.get(&stream)
    }

    /// Returns where the timeline starts: where the container does, unless that is one of its wild times.
    pub(crate) fn start(&self, container: i64) -> i64 {
        let first = self.tracks.values().map(|track| track.first).min().unwrap_or(container);
        if (container - first).abs() <= NEAR { container } else { first }
    }

    /// Returns the first time of all streams that were scanned.
    pub(crate) fn first(&self) -> Option<i64> {
        self.tracks.values().map(|track| track.first).min()
    }

    /// Returns where in the file the last packet ends.
    pub(crate) fn end_position(&self) -> u64 {
        self.end_position
    }

    /// Returns the number of packets of all streams, of those too that are not scanned.
    pub(crate) fn packets(&self) -> u64 {
        self.packets
    }

    pub(crate) fn timeline(&self) -> &Timeline {
        &self.timeline
    }
}

impl Track {
    fn packet(&mut self, Placed { packet, stretch, fresh }: Placed, start: i64) {
        if fresh {
            self.spans.truncate(stretch);
            self.seconds.retain(|(of, _), _| *of != stretch);
        }
        self.packets += 1;
        // Presentation isn't in order, so steps are judged by decode times, which are.
        if let Some(decode) = packet.decode {
            if let Some((_, previous)) = self.previous.filter(|(before, _)| *before == stretch) {
                self.spread.push(decode - previous);
            }
            self.previous = Some((stretch, decode));
        }
        let Some(shown) = packet.shown.or(packet.decode) else {
            return;
        };
        self.sum += i128::from(shown);
        let second = (shown - start + ROUNDING_MICROSECONDS).div_euclid(SECOND);
        if self.seconds.len() < MOST_SECONDS || self.seconds.contains_key(&(stretch, second)) {
            *self.seconds.entry((stretch, second)).or_default() += 1;
        }
        if packet.key && self.key_frames.last().is_none_or(|last| shown - last >= KEY_FRAMES_APART) {
            self.key_frames.push(shown);
        }
        if self.spans.len() <= stretch {
            self.spans.resize(stretch + 1, None);
        }
        // Of pictures without times all are shown behind their decoding by the first one's delay, in another order.
        let latest = match (packet.decode, self.delay) {
            (Some(decode), Some(delay)) if self.untimed => shown.max(decode + delay),
            _ => shown,
        };
        let end = latest + packet.duration;
        let span = self.spans[stretch].get_or_insert(Span { first: shown, last: latest, end });
        span.first = span.first.min(shown);
        span.last = span.last.max(latest);
        span.end = span.end.max(end);
    }

    fn count(&mut self, shifts: &[i64]) {
        for ((stretch, second), count) in &self.seconds {
            // Shifts are known when all packets are counted, so counts move by whole seconds.
            let shift = shifts.get(*stretch).copied().unwrap_or_default();
            let place = second + (shift as f64 / SECOND as f64).round() as i64;
            let Some(place) = usize::try_from(place).ok().filter(|place| *place < MOST_SECONDS) else {
                continue;
            };
            if self.counts.len() <= place {
                self.counts.resize(place + 1, 0);
            }
            self.counts[place] += count;
        }
    }

    fn place(&mut self, shifts: &[i64]) {
        let placed = |of: fn(&Span) -> i64| {
            let spans = self.spans.iter().zip(shifts);
            spans.filter_map(move |(span, shift)| Some(of(span.as_ref()?) + shift))
        };
        let first = placed(|span| span.first).min().unwrap_or_default();
        let last = placed(|span| span.last).max().unwrap_or_default();
        let end = placed(|span| span.end).max().unwrap_or_default();
        (self.first, self.last, self.end) = (first, last, end);
        let lengths: Vec<i64> = self.spans.iter().flatten().map(|span| span.last - span.first).collect();
        self.moving = (lengths.iter().sum(), lengths.len() as u64);
    }

    /// Returns whether pictures have times of their decoding alone, as in AVI.
    pub(crate) fn decoded_only(&self) -> bool {
        self.packets > 0 && self.delay.is_none()
    }

    /// Returns the average of frames per second; `None` when there aren't two frames in time. Between two stretches the
    /// picture waits for the sound, which is no distance between frames.
    pub(crate) fn rate(&self) -> Option<f64> {
        let (length, stretches) = self.moving;
        let steps = self.packets.saturating_sub(stretches);
        (steps > 0 && length > 0).then(|| steps as f64 * 1e6 / length as f64)
    }

    /// Returns the average of all presentation times; `None` where the clock is not one.
    pub(crate) fn mean(&self) -> Option<i64> {
        let count = i128::from(self.packets);
        (count > 0 && self.stretches.is_empty() && !self.untimed)
            .then(|| i64::try_from(self.sum / count).ok())?
    }

    /// Returns the frames that are shown in each second. A field-coded picture has two packets a frame.
    pub(crate) fn frames_by_second(&self, rate: Option<f64>) -> Vec<u32> {
        let packets_a_frame = self.rate().zip(rate).map_or(1.0, |(packets, frames)| packets / frames);
        let fields = (1.9..2.1).contains(&packets_a_frame);
        self.counts.iter().map(|count| if fields { count / 2 } else { *count }).collect()
    }

    /// Returns whether the distances between packets differ by more than rounding.
    pub(crate) fn variable(&self) -> bool {
        self.rate().is_some_and(|rate| self.spread.variable(rate))
    }
}

/// Reads ffprobe's decimal seconds; `N/A` is `None`, and so are times that no clock reaches.
fn microseconds(seconds: &str) -> Option<i64> {
    let value: f64 = seconds.parse().ok()?;
    // A hundred years; also keeps sums of a few from overflowing.
    (value.abs() < 3.2e9).then(|| (value * 1e6).round() as i64)
}

#[cfg(test)]
mod tests;
