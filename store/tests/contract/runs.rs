//! Runs: what is urgent goes first, videos take turns, and what a viewer waits for is cut out of where it is.

use std::{ops::Range, time::Duration};

use store::{
    Attempt, Claim, Job, JobClass, JobKind, JobRank, NewJob, NewPlan, Rendition, RenditionKind, Segment,
    Standing, State, Store, VideoId, Want,
};

use super::{LEASE, rendition, uploaded};
use crate::store;

const TOTAL: u32 = 40;

fn run(kind: JobKind, track: &str, segments: Range<u32>) -> NewJob {
    let turn = i64::from(segments.start);
    NewJob { kind, track: track.to_owned(), segments, class: JobClass::Rest, turn }
}

/// Plans a video of a small rendition to begin on, two others, and sound.
async fn planned(store: &Store, title: &str, jobs: &[NewJob]) -> VideoId {
    let id = uploaded(store, title).await;
    let prepare = store.jobs.claim(&[JobKind::Prepare], "planner", LEASE).await.unwrap().unwrap();
    let sound = Rendition { kind: RenditionKind::Audio, start_up: true, ..rendition("audio", TOTAL) };
    let small = Rendition { start_up: true, ..rendition("480p", TOTAL) };
    let plan = NewPlan {
        json: "{}",
        duration_seconds: 240.0,
        renditions: &[rendition("1080p", TOTAL), rendition("720p", TOTAL), small, sound],
        jobs,
        captions: &[],
        listen: false,
        notes: &[],
    };
    store.renditions.plan(&id, &plan).await.unwrap();
    store.jobs.finish(&prepare).await.unwrap();
    id
}

async fn claimed(store: &Store, kind: JobKind) -> Option<Job> {
    store.jobs.claim(&[kind], "worker", LEASE).await.unwrap()
}

/// Claims all there is of a kind, in order.
async fn order(store: &Store, kind: JobKind) -> Vec<String> {
    let mut order = Vec::new();
    while let Some(job) = claimed(store, kind).await {
        order.push(format!("{} {}-{}", job.track, job.segments.start, job.segments.end));
    }
    order
}

async fn publish(store: &Store, id: &VideoId, rendition: &str, number: u32) {
    let segment = Segment { number, facts: "{}".into() };
    store.renditions.publish(id, rendition, &segment).await.unwrap();
}

#[tokio::test]
async fn a_want_is_cut_out_with_the_few_behind_it_and_the_sound_beside() {
    let (store, _folder) = store().await;
    let all = [run(JobKind::Video, "1080p 720p", 0..20), run(JobKind::Audio, "audio", 0..40)];
    let id = planned(&store, "v", &all).await;
    let want = Want { video: &id, rendition: "720p", number: 10 };
    assert!(store.jobs.want(&want).await.unwrap());
    assert!(!store.jobs.want(&want).await.unwrap(), "it is wanted already");
    assert!(!store.jobs.want(&Want { number: 99, ..want }).await.unwrap());
    assert!(!store.jobs.want(&Want { rendition: "4k", ..want }).await.unwrap());
    assert_eq!(
        order(&store, JobKind::Video).await,
        ["720p 10-11", "720p 11-13", "1080p 720p 0-10", "1080p 10-13", "1080p 720p 13-20"]
    );
    assert_eq!(order(&store, JobKind::Audio).await, ["audio 10-13", "audio 0-10", "audio 13-40"]);
}

#[tokio::test]
async fn a_want_ends_a_run_in_hand_before_it_and_hastens_one_that_is_about_to_come_to_it() {
    let (store, _folder) = store().await;
    let id = planned(&store, "v", &[run(JobKind::Video, "1080p 720p", 0..20)]).await;
    let in_hand = claimed(&store, JobKind::Video).await.unwrap();
    publish(&store, &id, "720p", 0).await;
    let want = Want { video: &id, rendition: "720p", number: 3 };
    assert!(store.jobs.want(&want).await.unwrap());
    let standing = store.jobs.standing(&in_hand).await.unwrap();
    assert_eq!(standing, Some(Standing { last: 3, outranked: false }));
    assert!(store.jobs.want(&Want { number: 1, ..want }).await.unwrap(), "its encoder is at it");
    assert!(!store.jobs.want(&Want { number: 1, ..want }).await.unwrap(), "it hurries already");
    let standing = store.jobs.standing(&in_hand).await.unwrap();
    assert_eq!(standing, Some(Standing { last: 2, outranked: false }));
    assert_eq!(
        order(&store, JobKind::Video).await,
        ["720p 3-4", "720p 4-6", "720p 2-3", "1080p 2-3", "1080p 3-6", "1080p 720p 6-20"]
    );
    store.jobs.finish(&in_hand).await.unwrap();
    assert_eq!(store.jobs.standing(&in_hand).await.unwrap(), None);
}

#[tokio::test]
async fn an_encoder_of_one_rendition_is_near_a_segment_earlier_than_one_of_many() {
    let (store, _folder) = store().await;
    for (track, hastened) in [("720p", true), ("1080p 720p", false)] {
        let id = planned(&store, "v", &[run(JobKind::Video, track, 0..20)]).await;
        let in_hand = claimed(&store, JobKind::Video).await.unwrap();
        publish(&store, &id, "720p", 0).await;
        store.jobs.want(&Want { video: &id, rendition: "720p", number: 2 }).await.unwrap();
        let last = store.jobs.standing(&in_hand).await.unwrap().unwrap().last;
        assert_eq!(last, if hastened { 3 } else { 2 }, "{track}");
        while claimed(&store, JobKind::Video).await.is_some() {}
    }
}

#[tokio::test]
async fn a_run_behind_a_segment_that_is_there_is_left_to_its_encoder() {
    let (store, _folder) = store().await;
    let id = planned(&store, "v", &[run(JobKind::Video, "480p", 0..20)]).await;
    let in_hand = claimed(&store, JobKind::Video).await.unwrap();
    publish(&store, &id, "480p", 0).await;
    assert!(!store.jobs.want(&Want { video: &id, rendition: "480p", number: 0 }).await.unwrap());
    assert_eq!(store.jobs.standing(&in_hand).await.unwrap().unwrap().last, 20);
}

#[tokio::test]
async fn what_is_ahead_of_a_viewer_keeps_its_worker_and_what_another_waits_for_has_one_of_its_own() {
    let (store, _folder) = store().await;
    let id = planned(&store, "v", &[run(JobKind::Video, "480p", 0..40)]).await;
    assert!(store.jobs.want(&Want { video: &id, rendition: "480p", number: 10 }).await.unwrap());
    let wanted = claimed(&store, JobKind::Video).await.unwrap();
    assert!(store.jobs.want(&Want { video: &id, rendition: "480p", number: 30 }).await.unwrap());
    assert!(!store.jobs.standing(&wanted).await.unwrap().unwrap().outranked, "a viewer waits for it as well");
    assert_eq!(claimed(&store, JobKind::Video).await.unwrap().segments, 30..31);
    let ahead = claimed(&store, JobKind::Video).await.unwrap();
    assert_eq!((ahead.segments.clone(), ahead.is_urgent()), (11..13, true));
    assert!(!store.jobs.standing(&ahead).await.unwrap().unwrap().outranked);
    assert!(store.jobs.want(&Want { video: &id, rendition: "480p", number: 20 }).await.unwrap());
    assert!(!store.jobs.standing(&ahead).await.unwrap().unwrap().outranked);
    let claim = Claim { owner: "worker", lease: LEASE };
    let next =
        async || store.jobs.claim_of(&JobRank::Waited.classes(), &[JobKind::Video], &claim).await.unwrap();
    assert_eq!(next().await.unwrap().segments, 20..21);
    assert!(next().await.is_none());
}

#[tokio::test]
async fn a_viewer_who_goes_from_place_to_place_leaves_little_ahead_behind() {
    let (store, _folder) = store().await;
    let id = planned(&store, "v", &[run(JobKind::Video, "480p", 0..40)]).await;
    let urgent = Claim { owner: "worker", lease: LEASE };
    for number in [5, 10, 15, 20, 25] {
        assert!(store.jobs.want(&Want { video: &id, rendition: "480p", number }).await.unwrap(), "{number}");
        let wanted =
            store.jobs.claim_of(&JobClass::URGENT, &[JobKind::Video], &urgent).await.unwrap().unwrap();
        assert_eq!(wanted.segments, number..number + 1);
        publish(&store, &id, "480p", number).await;
        store.jobs.finish(&wanted).await.unwrap();
        // Wants of one millisecond are of one age.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let mut ahead = Vec::new();
    while let Some(job) = store.jobs.claim_of(&JobClass::URGENT, &[JobKind::Video], &urgent).await.unwrap() {
        ahead.push(job.segments.start);
    }
    ahead.sort_unstable();
    assert_eq!(ahead, [16, 21, 26]);
}

#[tokio::test]
async fn segments_that_are_there_are_not_wanted_again() {
    let (store, _folder) = store().await;
    let id = planned(&store, "v", &[run(JobKind::Video, "480p", 0..20)]).await;
    publish(&store, &id, "480p", 5).await;
    assert!(store.jobs.want(&Want { video: &id, rendition: "480p", number: 5 }).await.unwrap());
    assert_eq!(order(&store, JobKind::Video).await, ["480p 6-8", "480p 0-6", "480p 8-20"]);
}

#[tokio::test]
async fn wants_are_bounded_for_each_video_and_videos_take_turns() {
    let (store, _folder) = store().await;
    let scanned = planned(&store, "scanned", &[run(JobKind::Video, "480p", 0..40)]).await;
    let watched = planned(&store, "watched", &[run(JobKind::Video, "480p", 0..40)]).await;
    let mut raised = 0;
    for number in (0..TOTAL).step_by(3) {
        let want = Want { video: &scanned, rendition: "480p", number };
        raised += u32::from(store.jobs.want(&want).await.unwrap());
    }
    assert_eq!(raised, 8);
    assert!(store.jobs.want(&Want { video: &watched, rendition: "480p", number: 30 }).await.unwrap());
    let urgent = Claim { owner: "worker", lease: LEASE };
    let mut place = 0;
    loop {
        let job = store.jobs.claim_of(&JobClass::URGENT, &[JobKind::Video], &urgent).await.unwrap().unwrap();
        place += 1;
        if job.video == watched {
            break;
        }
    }
    assert!(place <= 2, "{place}");
}

#[tokio::test]
async fn a_new_video_goes_before_the_rest_of_an_old_one_and_its_rest_takes_turns() {
    let (store, _folder) = store().await;
    let jobs = |n: u32| run(JobKind::Video, "1080p 720p", n * 10..n * 10 + 10);
    let old = planned(&store, "old", &[0, 1, 2, 3].map(jobs)).await;
    let in_hand = claimed(&store, JobKind::Video).await.unwrap();
    assert!(!store.jobs.standing(&in_hand).await.unwrap().unwrap().outranked);
    let start_up = NewJob { class: JobClass::StartUp, ..run(JobKind::Video, "480p", 0..10) };
    let new = planned(&store, "new", &[start_up, jobs(0), jobs(1)]).await;
    assert!(store.jobs.standing(&in_hand).await.unwrap().unwrap().outranked);
    let mut order = Vec::new();
    while let Some(job) = claimed(&store, JobKind::Video).await {
        let video = if job.video == old { "old" } else { "new" };
        assert!(job.video == old || job.video == new);
        order.push(format!("{video} {}", job.track));
    }
    let both = ["old 1080p 720p", "new 1080p 720p"];
    assert_eq!(order[0], "new 480p");
    // Served as much as each other from then on, until one has no more.
    assert!(both.iter().all(|one| order[1..3].iter().any(|other| other == one)), "{order:?}");
    assert_eq!(order.len(), 6);
}

#[tokio::test]
async fn workers_of_urgent_jobs_take_no_others() {
    let (store, _folder) = store().await;
    let first = NewJob { class: JobClass::First, ..run(JobKind::Video, "480p", 0..1) };
    planned(&store, "v", &[first, run(JobKind::Video, "480p", 1..20)]).await;
    let claim = Claim { owner: "worker", lease: LEASE };
    let urgent = store.jobs.claim_of(&JobClass::URGENT, &[JobKind::Video], &claim).await.unwrap().unwrap();
    assert!(urgent.is_urgent());
    assert!(store.jobs.claim_of(&JobClass::URGENT, &[JobKind::Video], &claim).await.unwrap().is_none());
    let calm = store.jobs.claim_of(&JobClass::CALM, &[JobKind::Video], &claim).await.unwrap().unwrap();
    assert_eq!((calm.is_urgent(), calm.segments), (false, 1..20));
}

#[tokio::test]
async fn attempts_count_from_the_last_segment_on() {
    let (store, _folder) = store().await;
    planned(&store, "v", &[run(JobKind::Video, "480p", 0..20)]).await;
    for attempts in 1..=5 {
        let job = store.jobs.claim(&[JobKind::Video], "dies", Duration::ZERO).await.unwrap().unwrap();
        assert_eq!(job.attempts, attempts, "the claim counts, for a worker that dies says nothing");
    }
    let job = claimed(&store, JobKind::Video).await.unwrap();
    store.jobs.progressed(&job).await.unwrap();
    store.jobs.release(&job, Duration::ZERO, Attempt::Failed).await.unwrap();
    assert_eq!(claimed(&store, JobKind::Video).await.unwrap().attempts, 2);
}

#[tokio::test]
async fn a_video_is_playable_with_what_players_begin_on() {
    let (store, _folder) = store().await;
    let id = planned(&store, "v", &[]).await;
    for (rendition, number, playable) in
        [("1080p", 0, false), ("480p", 1, false), ("480p", 0, false), ("audio", 0, true)]
    {
        publish(&store, &id, rendition, number).await;
        assert_eq!(store.videos.mark_playable(&id).await.unwrap(), playable, "{rendition} {number}");
    }
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().state, State::Playable);
}
