//! Runs: the parts that a plan is cut into for encoders, and a run in hand, which ends early where something more urgent
//! waits. Leaves the queue to the store, encoding to `encode` and `sound`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use store::{Job, JobClass, JobKind, NewJob, Store};
use tokio_util::sync::CancellationToken;

use crate::{
    Result,
    plan::{AudioPlan, Grid, Plan, Run, Rung},
    publish::Publisher,
};

/// Segments of sound in the first run; they cost little, and players buffer more of it than of the picture.
const FIRST_SOUND: u32 = 2;
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
        jobs.extend(service.begun(&begins, &runs, 1));
        let mut service = Service { grid, kind: JobKind::Video, before: 0 };
        if !rest.is_empty() {
            jobs.extend(runs.iter().map(|run| service.job(&rest, *run, JobClass::Rest)));
        }
    }
    for (place, audio) in plan.audio.iter().enumerate() {
        let runs = audio.runs(grid, length);
        let mut service = Service { grid, kind: JobKind::Audio, before: 0 };
        if place == 0 {
            jobs.extend(service.begun(&[audio], &runs, FIRST_SOUND));
        } else {
            jobs.extend(runs.iter().map(|run| service.job(&[audio], *run, JobClass::Rest)));
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
    fn begun<R: Rendition>(&mut self, renditions: &[&R], runs: &[(u32, u32)], first: u32) -> Vec<NewJob> {
        let total = self.grid.segments();
        let first = first.min(total);
        let mut jobs = vec![self.job(renditions, (0, first), JobClass::First)];
        self.before = 0;
        for run in runs {
            let run = (run.0.max(first), run.1);
            if run.0 < run.1 {
                jobs.push(self.job(renditions, run, JobClass::StartUp));
            }
        }
        jobs
    }

    fn job<R: Rendition>(&mut self, renditions: &[&R], segments: (u32, u32), class: JobClass) -> NewJob {
        let names: Vec<&str> = renditions.iter().map(|rendition| rendition.name()).collect();
        let cost: f64 = renditions.iter().map(|rendition| rendition.cost()).sum();
        let seconds = self.grid.seconds(self.grid.start(segments.1) - self.grid.start(segments.0));
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
    segments: (u32, u32),
) -> Result<Vec<Hole>> {
    let mut there = Vec::new();
    for rendition in renditions {
        let rows = publisher.store.renditions.segments(&publisher.video, rendition).await?;
        there.push(rows.into_iter().map(|row| row.number).collect::<BTreeSet<u32>>());
    }
    let mut holes: Vec<Hole> = Vec::new();
    for number in segments.0..segments.1 {
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

/// A claimed run while it is encoded.
#[derive(Debug)]
pub(crate) struct RunInHand {
    job: Job,
    /// Ends its encoder.
    turn: CancellationToken,
    /// Renditions that have published a segment in this hole, by its number.
    published: Mutex<BTreeMap<u32, usize>>,
    renditions: usize,
    has_come_further: AtomicBool,
    /// A viewer's want cut the rest of it off.
    is_cut_off: AtomicBool,
}

impl RunInHand {
    /// Begins a hole of `renditions` renditions, whose encoder `turn` ends.
    pub(crate) fn new(job: &Job, renditions: usize, turn: CancellationToken) -> Self {
        Self {
            job: job.clone(),
            turn,
            published: Mutex::default(),
            renditions,
            has_come_further: AtomicBool::new(false),
            is_cut_off: AtomicBool::new(false),
        }
    }

    /// Notes a published segment. Once all renditions have it the run is compared with the queue, and ends where
    /// something more urgent waits: what it has is published, and the rest is given back.
    pub(crate) async fn published(&self, store: &Store, number: u32) -> Result<()> {
        if self.job.attempts > 1 && !self.has_come_further.swap(true, Ordering::Relaxed) {
            store.jobs.progressed(&self.job).await?;
        }
        if !self.is_whole(number) {
            return Ok(());
        }
        // Without its lease it ends in any case, as its worker notices.
        let Some(standing) = store.jobs.standing(&self.job).await? else { return Ok(()) };
        if number + 1 >= standing.last && standing.last < self.job.segments.1 {
            self.is_cut_off.store(true, Ordering::Relaxed);
            self.turn.cancel();
        } else if standing.outranked {
            tracing::info!(number, "something more urgent waits");
            self.turn.cancel();
        }
        Ok(())
    }

    /// Returns whether another worker has what is left of it.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.is_cut_off.load(Ordering::Relaxed)
    }

    fn is_whole(&self, number: u32) -> bool {
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let count = published.entry(number).or_default();
        *count += 1;
        let whole = *count >= self.renditions;
        if whole {
            published.remove(&number);
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::film;

    fn listed(length: u32) -> Vec<String> {
        let jobs = of(&film(), length);
        jobs.iter()
            .map(|job| format!("{:?} {} {:?} {}", job.class, job.track, job.segments, job.turn))
            .collect()
    }

    #[test]
    fn what_players_begin_on_comes_first_and_the_rest_behind() {
        assert_eq!(
            listed(2),
            [
                "First 480p (0, 1) 0",
                "StartUp 480p (1, 2) 0",
                "StartUp 480p (2, 3) 6006",
                "Rest 240p (0, 2) 0",
                "Rest 240p (2, 3) 2995",
                "First audio-de (0, 2) 0",
                "StartUp audio-de (2, 3) 0",
                "Rest audio-en (0, 2) 0",
                "Rest audio-en (2, 3) 120",
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
                let mut numbers: Vec<u32> =
                    of_rendition.flat_map(|job| job.segments.0..job.segments.1).collect();
                numbers.sort_unstable();
                assert_eq!(numbers, [0, 1, 2], "{rendition} in runs of {length}");
            }
        }
    }
}
