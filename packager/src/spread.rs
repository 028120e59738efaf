//! The spread of the distances between frames: whether a picture has one rate, and which, around jitter and between lost
//! frames. One average cannot tell 30 frames a second on a phone's clock from a screen recording with gaps.

/// Distances are sorted by tenths of a millisecond, up to a fifth of a second.
const STEP: i64 = 100;
const STEPS: usize = 2000;
/// The part of all distances that has to be as short as the cadence, or shorter: fewer are a muxer's stumbles.
const CADENCE_PART: u64 = 10;
/// A cadence is a distance that recurs: of jitter's distances, fewer are this alike.
const ALIKE: f64 = 0.1;
const ALIKE_PART: f64 = 0.14;
/// Distances this far from the middle are jitter, or the two lengths of telecined film; longer ones are gaps.
const JITTER: f64 = 0.35;
/// The part of all distances that has to be near the middle for a steady rate.
const STEADY_PART: f64 = 0.9;

/// How often each distance came. Memory stays constant however long the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Spread {
    shortest: Option<i64>,
    longest: Option<i64>,
    /// The last place holds all longer ones.
    bins: Vec<Bin>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Bin {
    count: u64,
    /// Of the distances themselves, in microseconds.
    sum: i64,
}

impl Bin {
    fn and(self, other: Self) -> Self {
        Self { count: self.count + other.count, sum: self.sum.saturating_add(other.sum) }
    }

    fn mean(self) -> Option<f64> {
        (self.count > 0 && self.sum > 0).then(|| self.sum as f64 / self.count as f64)
    }
}

impl Spread {
    /// Takes the distance between two frames that follow each other, in microseconds.
    pub(crate) fn push(&mut self, step: i64) {
        self.shortest = Some(self.shortest.map_or(step, |shortest| shortest.min(step)));
        self.longest = Some(self.longest.map_or(step, |longest| longest.max(step)));
        self.bins.resize(STEPS, Bin::default());
        let place = usize::try_from(step / STEP).unwrap_or(0).min(STEPS - 1);
        self.bins[place] = self.bins[place].and(Bin { count: 1, sum: step });
    }

    /// Returns whether distances differ by more than rounding, for frames of this average rate: Matroska and FLV round
    /// to milliseconds, so 33 and 34 are the same.
    pub(crate) fn variable(&self, rate: f64) -> bool {
        let (Some(shortest), Some(longest)) = (self.shortest, self.longest) else {
            return false;
        };
        (longest - shortest) as f64 > (1e6 / rate / 4.0).max(2_500.0)
    }

    /// Returns the one rate of frames whose distances are nearly all alike, around jitter and between lost frames, for
    /// frames of this average rate.
    pub(crate) fn steady(&self, rate: f64) -> Option<f64> {
        let all = self.all().count;
        let average = 1e6 / rate;
        let near = |middle: f64| {
            let near = self.within(middle, JITTER);
            (all > 0 && near.count as f64 >= all as f64 * STEADY_PART).then_some(near)
        };
        if let Some(near) = near(average) {
            // Jitter strays to both sides, and leaves the average exact however short the source; gaps only lengthen.
            let shorter = self.below(average, JITTER);
            let longer = all - near.count - shorter;
            let distance = if shorter * 3 >= longer { Some(average) } else { near.mean() };
            return distance.map(|distance| 1e6 / distance);
        }
        self.middle().and_then(near)?.mean().map(|distance| 1e6 / distance)
    }

    /// Returns the rate at which frames follow each other where they come most quickly: what an uneven source would
    /// have, had it not dropped any.
    pub(crate) fn cadence(&self) -> Option<f64> {
        // Packets at one time are fields, or damage.
        let all: u64 = self.bins.iter().skip(1).map(|bin| bin.count).sum();
        let mut counted = 0;
        for (place, bin) in self.bins.iter().enumerate().skip(1) {
            counted += bin.count;
            if counted > 0 && counted * CADENCE_PART >= all {
                let distance = bin.mean().unwrap_or((place as i64 * STEP) as f64);
                let alike = self.within(distance, ALIKE);
                let recurs = alike.count as f64 >= all as f64 * ALIKE_PART;
                return alike.mean().filter(|_| recurs).map(|distance| 1e6 / distance);
            }
        }
        None
    }

    /// Returns the distance that half of all are below.
    fn middle(&self) -> Option<f64> {
        let all = self.all().count;
        let mut counted = 0;
        let bin = self.bins.iter().find(|bin| {
            counted += bin.count;
            counted * 2 >= all
        });
        bin.and_then(|bin| bin.mean())
    }

    fn all(&self) -> Bin {
        self.bins.iter().copied().fold(Bin::default(), Bin::and)
    }

    fn within(&self, distance: f64, part: f64) -> Bin {
        let bins = self.bins.iter().take(place(distance * (1.0 + part)) + 1);
        bins.skip(place(distance * (1.0 - part))).copied().fold(Bin::default(), Bin::and)
    }

    fn below(&self, distance: f64, part: f64) -> u64 {
        self.bins.iter().take(place(distance * (1.0 - part))).map(|bin| bin.count).sum()
    }
}

/// Returns the bin of a distance; never that of packets at one time.
fn place(distance: f64) -> usize {
    ((distance / STEP as f64) as usize).clamp(1, STEPS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(milliseconds: &[f64]) -> (Spread, f64) {
        let mut spread = Spread::default();
        for step in milliseconds {
            spread.push((step * 1000.0).round() as i64);
        }
        let average = milliseconds.iter().sum::<f64>() / milliseconds.len() as f64;
        (spread, 1000.0 / average)
    }

    /// A hundred distances of this length, off to either side by up to `jitter`.
    fn jittery(distance: f64, jitter: f64) -> Vec<f64> {
        let off = |n: u32| f64::from(n * 7919 % 101) / 50.0 - 1.0;
        (0..100).map(|n| distance + jitter * (off(n + 1) - off(n)) / 2.0).collect()
    }

    #[test]
    fn jitter_and_a_few_lost_frames_leave_a_rate_steady() {
        let check = |steps: &[f64], expected: Option<f64>| {
            let (spread, average) = spread(steps);
            let steady = spread.steady(average);
            let near = |a: f64, b: f64| (a / b - 1.0).abs() < 0.004;
            assert!(
                steady.is_some() == expected.is_some()
                    && steady.zip(expected).is_none_or(|(steady, expected)| near(steady, expected)),
                "{steady:?} and not {expected:?} of {steps:?}"
            );
        };
        check(&jittery(33.3, 6.0), Some(30.03));
        check(&jittery(40.0, 10.0), Some(25.0));
        check(&[[40.0; 9].as_slice(), &[22.0], &[40.0; 9], &[59.0]].concat().repeat(5), Some(24.97));
        let with = |others: &[f64]| [jittery(33.333, 3.0), others.to_vec()].concat();
        check(&with(&[66.667; 5]), Some(30.0));
        check(&with(&[333.33; 8]), Some(30.0));
        // Film as broadcasts send it: two fields, then three.
        check(&[33.367, 50.05].repeat(50), Some(23.976));
        // A screen recording, and one that stands still for most of the time.
        check(&with(&[100.0; 50]), None);
        check(&[100.0, 33.0, 66.0].repeat(30), None);
        check(&[33.0], Some(30.3));
    }

    #[test]
    fn a_cadence_recurs_and_jitters_shortest_distance_does_not() {
        let gaps = [33.0, 34.0, 66.0, 34.0, 100.0, 33.0, 100.0, 100.0, 100.0];
        assert_eq!(spread(&gaps).0.cadence().unwrap().round() as u32, 30);
        let wild: Vec<f64> = (0..100).map(|n| 17.0 + f64::from(n * 37 % 100) / 3.0).collect();
        assert_eq!(spread(&wild).0.cadence(), None);
    }
}
