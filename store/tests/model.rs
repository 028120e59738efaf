//! A model of runs, explored by chance: whatever workers and viewers do, and in whatever order, each segment belongs to
//! one run, no two workers have it, and in the end it is there.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::prelude::*;
use sqlx::Row;
use store::{
    Attempt, Claim, Job, JobClass, JobKind, NewJob, NewPlan, NewVideo, Rendition, RenditionKind, Segment,
    Store, Timestamp, VideoId, Want,
};

const TOTAL: u32 = 8;
const RENDITIONS: [&str; 4] = ["a", "b", "c", "s"];
const KINDS: [JobKind; 2] = [JobKind::Video, JobKind::Audio];
const WORKERS: usize = 3;
const LEASE: Duration = Duration::from_mins(1);

#[derive(Clone, Debug)]
enum Step {
    /// A worker takes what is next of some classes, unless it has something.
    Claims(usize, bool),
    /// The same, and its lease is over at once.
    ClaimsAndFreezes(usize),
    /// A worker's encoder gives a segment of some of the renditions in hand.
    Publishes(usize, usize),
    /// A worker gives back what it has.
    GivesBack(usize),
    /// A viewer waits for a segment.
    Wants(usize, usize, u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..WORKERS, any::<bool>()).prop_map(|(worker, urgent)| Step::Claims(worker, urgent)),
        (0..WORKERS).prop_map(Step::ClaimsAndFreezes),
        (0..WORKERS, 1..3_usize).prop_map(|(worker, of)| Step::Publishes(worker, of)),
        (0..WORKERS).prop_map(Step::GivesBack),
        (0..2_usize, 0..RENDITIONS.len(), 0..TOTAL).prop_map(|(v, r, n)| Step::Wants(v, r, n)),
    ]
}

/// The store under test, and what its workers have in hand.
struct World {
    store: Store,
    rows: sqlx::SqlitePool,
    videos: Vec<VideoId>,
    hands: Vec<Option<Job>>,
    _folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::embedded(folder.path()).await.unwrap();
        let file = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.path().join("clipcut.sqlite"));
        let rows = sqlx::SqlitePool::connect_with(file).await.unwrap();
        let mut videos = Vec::new();
        for _ in 0..2 {
            videos.push(planned(&store).await);
        }
        Self { store, rows, videos, hands: vec![None; WORKERS], _folder: folder }
    }

    async fn take(&mut self, step: &Step) {
        let jobs = &self.store.jobs;
        match *step {
            Step::Claims(worker, urgent) => {
                if self.hands[worker].is_none() {
                    let classes = if urgent { JobClass::URGENT } else { JobClass::CALM };
                    let claim = Claim { owner: &format!("w{worker}"), lease: LEASE };
                    self.hands[worker] = jobs.claim_of(&classes, &KINDS, &claim).await.unwrap();
                }
            }
            Step::ClaimsAndFreezes(worker) => {
                if self.hands[worker].is_none() {
                    let owner = format!("w{worker}");
                    self.hands[worker] = jobs.claim(&KINDS, &owner, Duration::ZERO).await.unwrap();
                }
            }
            Step::Publishes(worker, of) => self.publish(worker, of).await,
            Step::GivesBack(worker) => {
                if let Some(job) = self.hands[worker].take() {
                    jobs.release(&job, Duration::ZERO, Attempt::Interrupted).await.unwrap();
                }
            }
            Step::Wants(video, rendition, number) => {
                let want = Want { video: &self.videos[video], rendition: RENDITIONS[rendition], number };
                jobs.want(&want).await.unwrap();
            }
        }
    }

    /// Publishes the next segment of a run in hand, in the first `of` of its renditions that lack it; the run ends with
    /// its last.
    async fn publish(&mut self, worker: usize, of: usize) {
        let Some(job) = self.hands[worker].clone() else { return };
        let Some(standing) = self.store.jobs.standing(&job).await.unwrap() else {
            self.hands[worker] = None;
            return;
        };
        let mut lacking = Vec::new();
        for number in job.segments.start..standing.last {
            for rendition in job.track.split(' ') {
                if !self.store.renditions.is_published(&job.video, rendition, number).await.unwrap() {
                    lacking.push((number, rendition));
                }
            }
        }
        let next = lacking.first().map(|(number, _)| *number);
        for (number, rendition) in lacking.iter().filter(|(number, _)| Some(*number) == next).take(of) {
            let segment = Segment { number: *number, facts: "{}".into() };
            self.store.renditions.publish(&job.video, rendition, &segment).await.unwrap();
        }
        if lacking.len() <= of {
            let ended = lacking.iter().all(|(number, _)| Some(*number) == next);
            if ended {
                self.store.jobs.finish(&job).await.unwrap();
                self.hands[worker] = None;
            }
        }
    }

    async fn check(&self) {
        let mut covered: BTreeMap<(String, String, u32), u32> = BTreeMap::new();
        let rows =
            sqlx::query("select video_id, track, first, last from jobs where kind in ('video', 'audio')");
        for row in rows.fetch_all(&self.rows).await.unwrap() {
            let (first, last): (i64, i64) = (row.get("first"), row.get("last"));
            assert!(first < last, "an empty run");
            for rendition in row.get::<String, _>("track").split(' ') {
                for number in first..last {
                    let key = (row.get("video_id"), rendition.to_owned(), number as u32);
                    *covered.entry(key).or_default() += 1;
                }
            }
        }
        for video in &self.videos {
            for rendition in RENDITIONS {
                for number in 0..TOTAL {
                    let key = (video.to_string(), rendition.to_owned(), number);
                    let runs = covered.get(&key).copied().unwrap_or_default();
                    assert!(runs <= 1, "{key:?} is in {runs} runs");
                    let there = self.store.renditions.is_published(video, rendition, number).await.unwrap();
                    assert!(there || runs == 1, "{key:?} is lost");
                }
            }
        }
        let mut in_hand = BTreeSet::new();
        for job in self.hands.iter().flatten() {
            // A worker whose lease another has hears so with its next segment, and is as good as gone.
            let Some(standing) = self.store.jobs.standing(job).await.unwrap() else { continue };
            for rendition in job.track.split(' ') {
                for number in job.segments.start..standing.last {
                    let new = in_hand.insert((job.video.clone(), rendition.to_owned(), number));
                    assert!(new, "two workers have {rendition} {number} of {}", job.video);
                }
            }
        }
    }

    /// Lets one worker alone finish: what is under another's lease is given back first.
    async fn finish(&mut self) {
        for worker in 0..WORKERS {
            self.take(&Step::GivesBack(worker)).await;
        }
        for _ in 0..10_000 {
            if self.hands[0].is_none() {
                self.hands[0] = self.store.jobs.claim(&KINDS, "w0", LEASE).await.unwrap();
            }
            if self.hands[0].is_none() {
                break;
            }
            self.publish(0, RENDITIONS.len()).await;
        }
        for video in &self.videos {
            for progress in self.store.renditions.of(video).await.unwrap() {
                assert_eq!(progress.segments_published, TOTAL, "{}", progress.rendition.name);
            }
        }
    }
}

async fn planned(store: &Store) -> VideoId {
    let video =
        NewVideo { title: "v".into(), description: String::new(), source_name: String::new(), owner: None };
    let id = store.uploads.begin(&video, Some(1), Timestamp::now() + LEASE).await.unwrap().id;
    let mut append = store.uploads.append(&id, false).await.unwrap().unwrap();
    append.write(b"x").await.unwrap();
    store.uploads.finish(append).await.unwrap();
    let prepare = store.jobs.claim(&[JobKind::Prepare], "planner", LEASE).await.unwrap().unwrap();
    let renditions = RENDITIONS.map(|name| Rendition {
        name: name.to_owned(),
        kind: if name == "s" { RenditionKind::Audio } else { RenditionKind::Video },
        width: None,
        height: None,
        frame_rate: None,
        bitrate_bps: None,
        language: None,
        label: None,
        codecs: None,
        segments_total: TOTAL,
        start_up: name == "a" || name == "s",
    });
    let job = |kind, track: &str, segments, class| NewJob {
        kind,
        track: track.to_owned(),
        segments,
        class,
        turn: 0,
    };
    let jobs = [
        job(JobKind::Video, "a", 0..1, JobClass::First),
        job(JobKind::Video, "a", 1..TOTAL, JobClass::StartUp),
        job(JobKind::Video, "b c", 0..5, JobClass::Rest),
        job(JobKind::Video, "b c", 5..TOTAL, JobClass::Rest),
        job(JobKind::Audio, "s", 0..TOTAL, JobClass::StartUp),
    ];
    let plan = NewPlan {
        json: "{}",
        duration_seconds: 48.0,
        renditions: &renditions,
        jobs: &jobs,
        captions: &[],
        listen: false,
        notes: &[],
    };
    store.renditions.plan(&id, &plan).await.unwrap();
    store.jobs.finish(&prepare).await.unwrap();
    id
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn no_segment_is_lost_and_none_is_in_two_runs(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            for step in &steps {
                world.take(step).await;
                world.check().await;
            }
            world.finish().await;
        });
    }
}
