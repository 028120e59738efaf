//! Runs: the parts that a plan is cut into for encoders, and what is left of one. Leaves the queue to the store, encoding to
//! `encode` and `sound`, its early end to `in_hand`.

use std::{collections::BTreeSet, ops::Range};

use store::{JobClass, JobKind, NewJob};

use crate::{
    Result,
    plan::{AudioPlan, Grid, Plan, Run, Rung},
    publish::Publisher,
};

/// Segments of sound in the first run behind those of the picture; they cost little, and players buffer more of it.
const MORE_SOUND: u32 = 1;
/// A service of one second of a rendition of 854×480; sound is a hundredth of it.
const SECOND: f64 = 1000.0;
const STANDARD_PIXELS: f64 = 854.0 * 480.0;
const SOUND: f64 = 0.01;

/// Returns all runs of a plan: the first segments of what players begin on, the rest of that, and then all else. Blocks
/// of `length` segments share an encoder.
pub(crate) fn of(plan: &Plan, length: u32) -> Vec<NewJob> {
    let grid = &plan.grid;
    let mut jobs = Vec::new();
    if let Some(video) = &plan.video {
        let runs = video.runs(grid, length);
        let (begins, rest): (Vec<&Rung>, Vec<&Rung>) =
            video.rungs.iter().partition(|rung| video.begins_on(rung));
        let mut service = Service { grid, kind: JobKind::Video, before: 0 };
        jobs.extend(service.begun(&begins, &runs, grid.start_up_segments));
        let mut service = Service { grid, kind: JobKind::Video, before: 0 };
        if !rest.is_empty() {
            jobs.extend(runs.iter().map(|run| service.job(&rest, run.clone(), JobClass::Rest)));
        }
    }
    for (place, audio) in plan.audio.iter().enumerate() {
        let runs = audio.runs(grid, length);
        let mut service = Service { grid, kind: JobKind::Audio, before: 0 };
        if place == 0 {
            jobs.extend(service.begun(&[audio], &runs, grid.start_up_segments + MORE_SOUND));
        } else {
            jobs.extend(runs.iter().map(|run| service.job(&[audio], run.clone(), JobClass::Rest)));
        }
    }
    jobs
}

/// A rendition, as far as the queue knows it.
trait Rendition {
    fn name(&self) -> &str;
    /// The cost of a second of it, where a second of 854×480 is 1.
    fn cost(&self) -> f64;
}

impl Rendition for Rung {
    fn name(&self) -> &str {
        &self.name
    }

    fn cost(&self) -> f64 {
        f64::from(self.width) * f64::from(self.height) / STANDARD_PIXELS
    }
}

impl Rendition for AudioPlan {
    fn name(&self) -> &str {
        &self.name
    }

    fn cost(&self) -> f64 {
        SOUND
    }
}

/// The service that a video has had in a class once its jobs before are done. It is reckoned from the plan, not
/// measured, so that a job's turn is a column that an index orders by.
struct Service<'a> {
    grid: &'a Grid,
    kind: JobKind,
    before: i64,
}

impl Service<'_> {
    /// Returns the jobs of what players begin on: the first `first` segments go before everything else.
    fn begun<R: Rendition>(&mut self, renditions: &[&R], runs: &[Range<u32>], first: u32) -> Vec<NewJob> {
        let total = self.grid.segments();
        let first = first.min(total);
        let mut jobs = vec![self.job(renditions, 0..first, JobClass::First)];
        // Turns are compared within a class, and the next class begins.
        self.before = 0;
        for run in runs {
            let run = run.start.max(first)..run.end;
            if !run.is_empty() {
                jobs.push(self.job(renditions, run, JobClass::StartUp));
            }
        }
        jobs
    }

    fn job<R: Rendition>(&mut self, renditions: &[&R], segments: Range<u32>, class: JobClass) -> NewJob {
        let names: Vec<&str> = renditions.iter().map(|rendition| rendition.name()).collect();
        let cost: f64 = renditions.iter().map(|rendition| rendition.cost()).sum();
        let seconds = self.grid.seconds(self.grid.start(segments.end) - self.grid.start(segments.start));
        let turn = self.before;
        self.before += (seconds * cost * SECOND) as i64;
        NewJob { kind: self.kind, track: names.join(" "), segments, class, turn }
    }
}

/// A part of a run that is not published: the same renditions lack all of its segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) run: Run,
    pub(crate) renditions: Vec<String>,
}

/// Returns what is left of a run, in order. What is published behind a hole is not encoded again.
pub(crate) async fn holes(
    publisher: &Publisher,
    renditions: &[String],
    segments: Range<u32>,
) -> Result<Vec<Hole>> {
    let mut there = Vec::new();
    for rendition in renditions {
        let rows = publisher.store.renditions.segments(&publisher.video, rendition).await?;
        there.push(rows.into_iter().map(|row| row.number).collect::<BTreeSet<u32>>());
    }
    let mut holes: Vec<Hole> = Vec::new();
    for number in segments {
        let lacking = renditions.iter().zip(&there).filter(|(_, there)| !there.contains(&number));
        let lacking: Vec<String> = lacking.map(|(name, _)| name.clone()).collect();
        match holes.last_mut() {
            Some(hole) if hole.run.last == number && hole.renditions == lacking => hole.run.last += 1,
            _ if lacking.is_empty() => {}
            _ => holes.push(Hole { run: Run { first: number, last: number + 1 }, renditions: lacking }),
        }
    }
    Ok(holes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{film, film_that_starts_short};

    fn listed(plan: &Plan, length: u32) -> Vec<String> {
        let jobs = of(plan, length);
        jobs.iter()
            .map(|job| format!("{:?} {} {:?} {}", job.class, job.track, job.segments, job.turn))
            .collect()
    }

    #[test]
    fn what_players_begin_on_comes_first_and_the_rest_behind() {
        assert_eq!(
            listed(&film(), 2),
            [
                "First 480p 0..1 0",
                "StartUp 480p 1..2 0",
                "StartUp 480p 2..3 6006",
                "Rest 240p 0..2 0",
                "Rest 240p 2..3 2995",
                "First audio-de 0..2 0",
                "StartUp audio-de 2..3 0",
                "Rest audio-en 0..2 0",
                "Rest audio-en 2..3 120",
            ]
        );
    }

    #[test]
    fn the_short_segments_at_the_start_share_an_encoder() {
        assert_eq!(
            listed(&film_that_starts_short(), 20),
            [
                "First 480p 0..3 0",
                "StartUp 480p 3..5 0",
                "Rest 240p 0..5 0",
                "First audio-de 0..4 0",
                "StartUp audio-de 4..5 0",
                "Rest audio-en 0..5 0",
            ]
        );
    }

    #[test]
    fn each_segment_of_each_rendition_is_in_one_run() {
        for length in [1, 2, 20] {
            let jobs = of(&film(), length);
            for rendition in ["480p", "240p", "audio-de", "audio-en"] {
                let of_rendition =
                    jobs.iter().filter(|job| job.track.split(' ').any(|name| name == rendition));
                let mut numbers: Vec<u32> = of_rendition.flat_map(|job| job.segments.clone()).collect();
                numbers.sort_unstable();
                assert_eq!(numbers, [0, 1, 2], "{rendition} in runs of {length}");
            }
        }
    }
}
