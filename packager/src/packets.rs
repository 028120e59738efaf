//! The packet scan: one line per packet in, the truth about each stream's times out.
//! Memory stays constant however long the file. Leaves running ffprobe to `probe`.

use std::collections::BTreeMap;

use crate::timeline::{Kind, Packet, Placed, Stretch, Timeline};

/// Steps between packets are counted in tenths of a millisecond, up to a fifth of a second.
const STEP: i64 = 100;
const STEPS: usize = 2000;
/// The part of all steps that has to be as short as the cadence: fewer are a muxer's stumbles.
const CADENCE_PART: u64 = 10;
/// A container's start and its first packet are no further apart.
const NEAR: i64 = 1_000_000;
/// Key frames that are nearer to the one before are left out, so that memory is bounded by a source's length.
const KEY_FRAMES_APART: i64 = 1_000_000;

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
    /// Where the source's own clock is not the timeline.
    pub(crate) stretches: Vec<Stretch>,
    /// Key frames, at least a second apart: places where decoding may start.
    pub(crate) key_frames: Vec<i64>,
    /// First, last and end in each stretch, on the source's own clock.
    spans: Vec<Option<Span>>,
    /// The stretch and the decode time of the packet before.
    previous: Option<(usize, i64)>,
    shortest_step: Option<i64>,
    longest_step: Option<i64>,
    /// How often each step came; the last place holds all longer ones.
    steps: Vec<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    first: i64,
    last: i64,
    end: i64,
}

/// The streams of sound and picture by index.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    kinds: BTreeMap<u32, Kind>,
    tracks: BTreeMap<u32, Track>,
    timeline: Timeline,
}

impl Scan {
    /// Returns a scan of these streams; the packets of others are passed over.
    pub(crate) fn of(kinds: BTreeMap<u32, Kind>) -> Self {
        Self { kinds, ..Self::default() }
    }

    /// Takes one line of ffprobe's `stream_index,pts_time,dts_time,duration_time,pos,flags`. Lines that
    /// are none of that (ffprobe ends some sections with an empty one) are passed over.
    pub(crate) fn line(&mut self, line: &str) {
        let mut fields = line.trim_end().split(',');
        let Some(stream) = fields.next().and_then(|index| index.parse().ok()) else {
            return;
        };
        let Some(kind) = self.kinds.get(&stream).copied() else {
            return;
        };
        let mut time = || fields.next().and_then(microseconds);
        let (shown, decode, duration) = (time(), time(), time());
        let position = fields.next().and_then(|position| position.parse().ok());
        let flags = fields.next().unwrap_or_default();
        // `D`: decoded for what follows, never shown (edit lists, encoder delay).
        if flags.contains('D') {
            return;
        }
        let key = flags.starts_with('K');
        let packet = Packet { shown, decode, duration: duration.unwrap_or(0).max(0), position, key };
        for placed in self.timeline.push(stream, kind, packet) {
            self.tracks.entry(stream).or_default().packet(placed);
        }
    }

    /// Puts all tracks on the timeline, once every line is taken.
    pub(crate) fn finish(&mut self) {
        for (stream, placed) in self.timeline.finish() {
            self.tracks.entry(stream).or_default().packet(placed);
        }
        let shifts = self.timeline.shifts();
        for (stream, track) in &mut self.tracks {
            track.place(&shifts);
            track.stretches = self.timeline.stretches(*stream);
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

    pub(crate) fn timeline(&self) -> &Timeline {
        &self.timeline
    }
}

impl Track {
    fn packet(&mut self, Placed { packet, stretch }: Placed) {
        self.packets += 1;
        // Presentation isn't in order, so steps are judged by decode times, which are.
        if let Some(decode) = packet.decode {
            if let Some((_, previous)) = self.previous.filter(|(before, _)| *before == stretch) {
                let step = decode - previous;
                self.shortest_step = Some(self.shortest_step.map_or(step, |s| s.min(step)));
                self.longest_step = Some(self.longest_step.map_or(step, |s| s.max(step)));
                self.steps.resize(STEPS, 0);
                let place = usize::try_from(step / STEP).unwrap_or(0).min(STEPS - 1);
                self.steps[place] = self.steps[place].saturating_add(1);
            }
            self.previous = Some((stretch, decode));
        }
        let Some(shown) = packet.shown.or(packet.decode) else {
            return;
        };
        if packet.key && self.key_frames.last().is_none_or(|last| shown - last >= KEY_FRAMES_APART) {
            self.key_frames.push(shown);
        }
        if self.spans.len() <= stretch {
            self.spans.resize(stretch + 1, None);
        }
        let end = shown + packet.duration;
        let span = self.spans[stretch].get_or_insert(Span { first: shown, last: shown, end });
        span.first = span.first.min(shown);
        span.last = span.last.max(shown);
        span.end = span.end.max(end);
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
    }

    /// Returns the average of frames per second; `None` when there aren't two frames in time.
    pub(crate) fn rate(&self) -> Option<f64> {
        let span = self.last - self.first;
        (self.packets > 1 && span > 0).then(|| (self.packets - 1) as f64 * 1e6 / span as f64)
    }

    /// Returns the rate at which frames follow each other where they come most quickly: what an uneven source
    /// would have, had it not dropped any.
    pub(crate) fn cadence(&self) -> Option<f64> {
        let all: u64 = self.steps.iter().skip(1).map(|count| u64::from(*count)).sum();
        let mut counted = 0;
        for (place, count) in self.steps.iter().enumerate().skip(1) {
            counted += u64::from(*count);
            if counted > 0 && counted * CADENCE_PART >= all {
                return Some(1e6 / (place as i64 * STEP) as f64);
            }
        }
        None
    }

    /// Returns whether the distances between packets differ by more than rounding: Matroska and FLV
    /// round to milliseconds, so 33 and 34 are the same.
    pub(crate) fn variable(&self) -> bool {
        let (Some(rate), Some(shortest), Some(longest)) =
            (self.rate(), self.shortest_step, self.longest_step)
        else {
            return false;
        };
        let average = 1e6 / rate;
        (longest - shortest) as f64 > (average / 4.0).max(2_500.0)
    }
}

/// Reads ffprobe's decimal seconds; `N/A` is `None`, and so are times that no clock reaches.
fn microseconds(seconds: &str) -> Option<i64> {
    let value: f64 = seconds.parse().ok()?;
    // A hundred years; also keeps sums of a few from overflowing.
    (value.abs() < 3.2e9).then(|| (value * 1e6).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scans `stream_index,pts_time,dts_time,duration_time,flags`; positions go up by themselves.
    fn scan(lines: &str) -> Track {
        let mut scan = Scan::of([(0, Kind::Picture)].into());
        for (position, line) in lines.lines().enumerate() {
            let (times, flags) = line.rsplit_once(',').unwrap_or((line, ""));
            scan.line(&format!("{times},{position},{flags}"));
        }
        scan.finish();
        scan.track(0).unwrap().clone()
    }

    #[test]
    fn frames_out_of_order_give_the_true_span() {
        let track = scan(
            "0,0.000000,-0.040000,0.040000,K_\n0,0.120000,0.000000,0.040000,__\n\
             0,0.040000,0.040000,0.040000,__\n0,0.080000,0.080000,0.040000,__\n\n",
        );
        assert_eq!((track.packets, track.first, track.last, track.end), (4, 0, 120_000, 160_000));
        assert_eq!(track.rate(), Some(25.0));
        assert!(!track.variable());
    }

    #[test]
    fn packets_before_an_edit_lists_start_do_not_count() {
        let track = scan("0,-0.023220,-0.023220,0.023220,KD\n0,0.000000,0.000000,0.023220,K_");
        assert_eq!((track.packets, track.first, track.end), (1, 0, 23_220));
    }

    #[test]
    fn decode_times_stand_in_where_presentation_times_lack() {
        let track = scan("0,N/A,1.000000,N/A,K_\n0,N/A,1.040000,0.040000,__\n0,N/A,N/A,N/A,__");
        assert_eq!((track.packets, track.first, track.end), (3, 1_000_000, 1_080_000));
    }

    #[test]
    fn millisecond_rounding_is_not_variable_but_a_dropped_frame_is() {
        assert!(!scan("0,0,0,N/A,K_\n0,0.033,0.033,N/A,__\n0,0.067,0.067,N/A,__").variable());
        assert!(scan("0,0,0,N/A,K_\n0,0.033,0.033,N/A,__\n0,0.100,0.100,N/A,__").variable());
    }

    #[test]
    fn a_source_that_drops_frames_keeps_its_cadence() {
        let times = [0, 33, 67, 133, 167, 267, 300, 400, 500, 600];
        let lines: Vec<String> = times.iter().map(|ms| format!("0,0.{ms:03},0.{ms:03},N/A,K_")).collect();
        let track = scan(&lines.join("\n"));
        assert!(track.variable());
        assert_eq!(track.cadence().unwrap().round() as u32, 30);
    }

    #[test]
    fn lines_that_are_no_packets_are_passed_over() {
        let mut scan = Scan::of([(9, Kind::Sound)].into());
        for line in ["", "packet", ",,,,", "0", "9,nan,inf,1e300,0,K_"] {
            scan.line(line);
        }
        scan.finish();
        assert_eq!(scan.track(9).unwrap().rate(), None);
        assert_eq!(scan.track(9).unwrap().end, 0);
    }
}
