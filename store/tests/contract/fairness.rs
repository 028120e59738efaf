//! Fairness: of jobs that are alike urgent, owners are served alike, and the videos of each owner, by the time that workers
//! take for them and not by when they came.

use std::{collections::BTreeMap, time::Duration};

use store::{
    CHARGED_AHEAD, Job, JobClass, JobKind, NewJob, NewPlan, NewVideo, Store, UserId, VideoId, accounts::Role,
};

use super::{LEASE, accounts::signed_up, later, rendition, video};
use crate::store;

/// Uploads a video of `owner`'s and plans it into as many runs.
async fn planned(store: &Store, owner: Option<&UserId>, runs: u32) -> VideoId {
    let new = NewVideo { owner: owner.cloned(), ..video("v") };
    let id = store.uploads.begin(&new, Some(5), later()).await.unwrap().id;
    let mut append = store.uploads.append(&id, false).await.unwrap().unwrap();
    append.write(b"bytes").await.unwrap();
    store.uploads.finish(append).await.unwrap();
    let prepare = store.jobs.claim(&[JobKind::Prepare], "planner", LEASE).await.unwrap().unwrap();
    let run = |n: u32| NewJob {
        kind: JobKind::Video,
        track: "720p".into(),
        segments: n..n + 1,
        class: JobClass::Rest,
        turn: i64::from(n),
    };
    let plan = NewPlan {
        json: "{}",
        duration_seconds: f64::from(runs * 6),
        renditions: &[rendition("720p", runs)],
        jobs: &(0..runs).map(run).collect::<Vec<_>>(),
        captions: &[],
        listen: false,
        notes: &[],
    };
    store.renditions.plan(&id, &plan).await.unwrap();
    store.jobs.finish(&prepare).await.unwrap();
    id
}

async fn claimed(store: &Store) -> Job {
    store.jobs.claim(&[JobKind::Video], "worker", LEASE).await.unwrap().unwrap()
}

/// Takes the next run, works at it for so many seconds and finishes it. Returns its video.
async fn works(store: &Store, seconds: u64) -> VideoId {
    let job = claimed(store).await;
    store.jobs.charge(&job, CHARGED_AHEAD, Duration::from_secs(seconds)).await.unwrap();
    store.jobs.finish(&job).await.unwrap();
    job.video
}

#[tokio::test]
async fn an_owner_with_fifty_videos_does_not_delay_anothers_one() {
    let (store, _folder) = store().await;
    let anna = signed_up(&store, "anna@example.org", Role::User).await.id;
    let bob = signed_up(&store, "bob@example.org", Role::User).await.id;
    for _ in 0..50 {
        planned(&store, Some(&anna), 2).await;
    }
    for _ in 0..3 {
        works(&store, 10).await;
    }
    let one = planned(&store, Some(&bob), 3).await;
    let mut is_bobs = Vec::new();
    for _ in 0..6 {
        is_bobs.push(works(&store, 10).await == one);
    }
    assert_eq!(is_bobs, [true, false, true, false, true, false]);
}

#[tokio::test]
async fn a_film_of_two_hours_does_not_block_a_clip_of_ten_seconds() {
    let (store, _folder) = store().await;
    let film = planned(&store, None, 60).await;
    for _ in 0..5 {
        assert_eq!(works(&store, 40).await, film);
    }
    let clip = planned(&store, None, 1).await;
    assert_eq!(works(&store, 3).await, clip);
    assert_eq!(works(&store, 40).await, film);
}

#[tokio::test]
async fn nobody_starves_however_long_each_ones_runs_take() {
    let (store, _folder) = store().await;
    let anna = signed_up(&store, "anna@example.org", Role::User).await.id;
    let bob = signed_up(&store, "bob@example.org", Role::User).await.id;
    let mut seconds = BTreeMap::new();
    for (owner, each) in [(Some(&anna), 20), (Some(&bob), 2), (None, 5)] {
        seconds.insert(planned(&store, owner, 60).await.to_string(), each);
    }
    let mut served: BTreeMap<String, u64> = BTreeMap::new();
    while served.values().sum::<u64>() < 240 {
        let job = claimed(&store).await;
        let took = seconds[job.video.as_str()];
        store.jobs.charge(&job, CHARGED_AHEAD, Duration::from_secs(took)).await.unwrap();
        store.jobs.finish(&job).await.unwrap();
        *served.entry(job.video.to_string()).or_default() += took;
    }
    // As equal as the longest run allows.
    assert_eq!(served.len(), 3);
    let (least, most) = (served.values().min().unwrap(), served.values().max().unwrap());
    assert!(most - least <= 20, "{served:?}");
}

#[tokio::test]
async fn an_owner_who_was_idle_makes_up_for_no_time() {
    let (store, _folder) = store().await;
    let anna = signed_up(&store, "anna@example.org", Role::User).await.id;
    let bob = signed_up(&store, "bob@example.org", Role::User).await.id;
    let bobs_first = planned(&store, Some(&bob), 1).await;
    assert_eq!(works(&store, 10).await, bobs_first);
    planned(&store, Some(&anna), 20).await;
    for _ in 0..10 {
        works(&store, 10).await;
    }
    let bobs_second = planned(&store, Some(&bob), 5).await;
    let mut is_bobs = Vec::new();
    for _ in 0..4 {
        is_bobs.push(works(&store, 12).await == bobs_second);
    }
    assert_eq!(is_bobs, [true, false, true, false]);
}

#[tokio::test]
async fn workers_that_claim_at_once_are_shared_between_owners() {
    let (store, _folder) = store().await;
    let anna = signed_up(&store, "anna@example.org", Role::User).await.id;
    let bob = signed_up(&store, "bob@example.org", Role::User).await.id;
    let annas = planned(&store, Some(&anna), 10).await;
    planned(&store, Some(&bob), 10).await;
    let mut of_anna = 0;
    for _ in 0..6 {
        of_anna += u32::from(claimed(&store).await.video == annas);
    }
    assert_eq!(of_anna, 3);
}
