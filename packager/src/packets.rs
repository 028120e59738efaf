//! The packet scan: one line per packet in, the truth about each stream's times out.
//! Memory stays constant however long the file. Leaves running ffprobe to `probe`.

use std::collections::BTreeMap;

/// Steps between packets are counted in tenths of a millisecond, up to a fifth of a second.
const STEP: i64 = 100;
const STEPS: usize = 2000;
/// The part of all steps that has to be as short as the cadence: fewer are a muxer's stumbles.
const CADENCE_PART: u64 = 10;

/// The scan's result for one stream. Times are in microseconds on the container's own clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Track {
    /// Packets that are shown; those before an edit list's start aren't counted.
    pub(crate) packets: u64,
    /// The earliest presentation.
    pub(crate) first: i64,
    /// The latest presentation.
    pub(crate) last: i64,
    /// Where the latest presentation ends; as `last` when no packet has a duration.
    pub(crate) end: i64,
    /// Packets that have a time.
    timed: u64,
    previous_decode: Option<i64>,
    shortest_step: Option<i64>,
    longest_step: Option<i64>,
    /// How often each step came; the last place holds all longer ones.
    steps: Vec<u32>,
}

/// All streams by index.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    tracks: BTreeMap<u32, Track>,
}

impl Scan {
    /// Takes one line of ffprobe's `stream_index,pts_time,dts_time,duration_time,flags`. Lines that
    /// are none of that (ffprobe ends some sections with an empty one) are passed over.
    pub(crate) fn line(&mut self, line: &str) {
        let mut fields = line.trim_end().split(',');
        let Some(stream) = fields.next().and_then(|index| index.parse().ok()) else {
            return;
        };
        let mut time = || fields.next().and_then(microseconds);
        let (presentation, decode, duration) = (time(), time(), time());
        // `D`: decoded for what follows, never shown (edit lists, encoder delay).
        if fields.next().is_some_and(|flags| flags.contains('D')) {
            return;
        }
        let track = self.tracks.entry(stream).or_default();
        track.packet(presentation, decode, duration.unwrap_or(0).max(0));
    }

    pub(crate) fn track(&self, stream: u32) -> Option<&Track> {
        self.tracks.get(&stream)
    }
}

impl Track {
    fn packet(&mut self, presentation: Option<i64>, decode: Option<i64>, duration: i64) {
        self.packets += 1;
        // Presentation isn't in order, so steps are judged by decode times, which are.
        if let Some(decode) = decode {
            if let Some(previous) = self.previous_decode {
                let step = decode - previous;
                self.shortest_step = Some(self.shortest_step.map_or(step, |s| s.min(step)));
                self.longest_step = Some(self.longest_step.map_or(step, |s| s.max(step)));
                self.steps.resize(STEPS, 0);
                let place = usize::try_from(step / STEP).unwrap_or(0).min(STEPS - 1);
                self.steps[place] = self.steps[place].saturating_add(1);
            }
            self.previous_decode = Some(decode);
        }
        let Some(shown) = presentation.or(decode) else {
            return;
        };
        if self.timed == 0 {
            (self.first, self.last, self.end) = (shown, shown, shown + duration);
        }
        self.timed += 1;
        self.first = self.first.min(shown);
        self.last = self.last.max(shown);
        self.end = self.end.max(shown + duration);
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

    fn scan(lines: &str) -> Track {
        let mut scan = Scan::default();
        lines.lines().for_each(|line| scan.line(line));
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
        let track = scan("0,-0.023220,-0.023220,0.023220,KD,\n0,0.000000,0.000000,0.023220,K_");
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
        let mut scan = Scan::default();
        for line in ["", "packet", ",,,,", "0", "9,nan,inf,1e300,K_"] {
            scan.line(line);
        }
        assert_eq!(scan.track(9).unwrap().rate(), None);
        assert_eq!(scan.track(9).unwrap().end, 0);
    }
}
