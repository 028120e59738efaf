//! The promises of the queue: who claims, finishes and gives back what, and what operators see of it.

use std::time::Duration;

use store::{Attempt, Failure, JobKind, JobPlace, NewJob, QueueState, State, Timestamp};

use super::{LEASE, job, planned, uploaded};
use crate::store;

#[tokio::test]
async fn figures_count_what_waits_and_what_is_worked_on() {
    let (store, _folder) = store().await;
    for title in ["one", "two"] {
        uploaded(&store, title).await;
    }
    let figures = async || {
        let mut figures = store.jobs.figures().await.unwrap();
        figures.sort_by_key(|one| one.state.as_str());
        figures
            .iter()
            .map(|one| format!("{} {} {}", one.kind, one.state.as_str(), one.jobs))
            .collect::<Vec<_>>()
    };
    assert_eq!(figures().await, ["prepare waiting 2"]);
    let job = store.jobs.claim(&[JobKind::Prepare], "w", LEASE).await.unwrap().unwrap();
    assert_eq!(figures().await, ["prepare running 1", "prepare waiting 1"]);
    store.jobs.finish(&job).await.unwrap();
    assert_eq!(figures().await, ["prepare waiting 1"]);
    let failure = Failure { code: "not_media".into(), message: "It is no video.".into() };
    let job = store.jobs.claim(&[JobKind::Prepare], "w", LEASE).await.unwrap().unwrap();
    store.videos.fail(&job, &failure).await.unwrap();
    let mut videos = store.videos.figures().await.unwrap();
    videos.sort_by_key(|one| one.state.clone());
    let videos = videos.iter().map(|one| format!("{} {} {}", one.state, one.code, one.videos));
    assert_eq!(videos.collect::<Vec<_>>(), ["failed not_media 1", "uploaded  1"]);
}

#[tokio::test]
async fn many_workers_claim_every_job_exactly_once() {
    let (store, _folder) = store().await;
    let id = uploaded(&store, "v").await;
    let jobs: Vec<NewJob> = (0..200).map(|n| job(JobKind::Video, n)).collect();
    planned(&store, &id, &jobs).await;
    let workers = (0..8).map(|n| {
        let store = store.clone();
        tokio::spawn(async move {
            let mut claimed = Vec::new();
            while let Some(job) = store.jobs.claim(&[JobKind::Video], &format!("w{n}"), LEASE).await.unwrap()
            {
                claimed.push(job.segments.start);
            }
            claimed
        })
    });
    let mut claimed: Vec<u32> = futures::future::try_join_all(workers).await.unwrap().concat();
    claimed.sort_unstable();
    assert_eq!(claimed, (0..200).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_lease_that_ran_out_is_claimed_again_and_lost_to_its_first_owner() {
    let (store, _folder) = store().await;
    uploaded(&store, "v").await;
    let first = store.jobs.claim(&[JobKind::Prepare], "a", Duration::ZERO).await.unwrap().unwrap();
    let second = store.jobs.claim(&[JobKind::Prepare], "b", LEASE).await.unwrap().unwrap();
    assert_eq!(second.attempts, 2);
    assert!(!store.jobs.renew(&first, LEASE).await.unwrap());
    store.jobs.finish(&first).await.unwrap();
    assert!(store.jobs.renew(&second, LEASE).await.unwrap());
}

#[tokio::test]
async fn an_interrupted_job_keeps_its_attempts_and_a_failed_one_waits() {
    let (store, _folder) = store().await;
    uploaded(&store, "v").await;
    let job = store.jobs.claim(&[JobKind::Prepare], "a", LEASE).await.unwrap().unwrap();
    store.jobs.release(&job, Duration::ZERO, Attempt::Interrupted).await.unwrap();
    let job = store.jobs.claim(&[JobKind::Prepare], "a", LEASE).await.unwrap().unwrap();
    assert_eq!(job.attempts, 1);
    store.jobs.release(&job, LEASE, Attempt::Failed).await.unwrap();
    assert!(store.jobs.claim(&[JobKind::Prepare], "a", LEASE).await.unwrap().is_none());
}

#[tokio::test]
async fn the_finish_waits_for_all_else_and_videos_take_turns() {
    let (store, _folder) = store().await;
    let kinds = [JobKind::Video, JobKind::Finish];
    let first = uploaded(&store, "first").await;
    planned(&store, &first, &[job(JobKind::Finish, 0), job(JobKind::Video, 1), job(JobKind::Video, 0)]).await;
    let second = uploaded(&store, "second").await;
    planned(&store, &second, &[job(JobKind::Video, 0)]).await;
    assert_eq!(store.jobs.queue_position(&second).await.unwrap(), Some(1));
    assert_eq!(store.jobs.queue_position(&first).await.unwrap(), Some(0));

    let mut order = Vec::new();
    while let Some(job) = store.jobs.claim(&kinds, "w", LEASE).await.unwrap() {
        store.jobs.finish(&job).await.unwrap();
        order.push((job.video == first, job.kind, job.segments.start));
    }
    let wanted = [
        (true, JobKind::Video, 0),
        (false, JobKind::Video, 0),
        (true, JobKind::Video, 1),
        (true, JobKind::Finish, 0),
    ];
    assert_eq!(order, wanted);
}

#[tokio::test]
async fn one_at_a_time_writes_the_playlists_of_a_video() {
    let (store, _folder) = store().await;
    let id = uploaded(&store, "v").await;
    planned(&store, &id, &[job(JobKind::Finish, 0)]).await;
    store.jobs.requeue_playlists(&id).await.unwrap();
    let writers = [JobKind::Prepare, JobKind::Finish, JobKind::Playlists];
    for _ in 0..8 {
        let claims = (0..8).map(|n| {
            let store = store.clone();
            tokio::spawn(async move { store.jobs.claim(&writers, &format!("w{n}"), LEASE).await.unwrap() })
        });
        let claimed = futures::future::try_join_all(claims).await.unwrap();
        let claimed: Vec<_> = claimed.into_iter().flatten().collect();
        assert_eq!(claimed.len(), 1, "the plan's end and its playlists both wait");
        store.jobs.release(&claimed[0], Duration::ZERO, Attempt::Interrupted).await.unwrap();
    }
}

#[tokio::test]
async fn another_videos_playlists_are_written_meanwhile() {
    let (store, _folder) = store().await;
    for title in ["one", "two"] {
        let id = uploaded(&store, title).await;
        planned(&store, &id, &[]).await;
        store.jobs.requeue_playlists(&id).await.unwrap();
    }
    for owner in ["a", "b"] {
        assert!(store.jobs.claim(&[JobKind::Playlists], owner, LEASE).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn whoever_lost_a_lease_finishes_and_gives_back_nothing() {
    let (store, _folder) = store().await;
    let id = uploaded(&store, "v").await;
    let lost = store.jobs.claim(&[JobKind::Prepare], "a", Duration::ZERO).await.unwrap().unwrap();
    let held = store.jobs.claim(&[JobKind::Prepare], "b", LEASE).await.unwrap().unwrap();
    assert!(!store.jobs.finish(&lost).await.unwrap());
    store.jobs.release(&lost, Duration::ZERO, Attempt::Failed).await.unwrap();
    assert!(store.jobs.claim(&[JobKind::Prepare], "c", LEASE).await.unwrap().is_none());
    assert!(store.jobs.renew(&held, LEASE).await.unwrap());
    assert_eq!(held.video, id);
}

#[tokio::test]
async fn the_list_shows_what_runs_before_what_waits_and_how_far_it_is() {
    let (store, _folder) = store().await;
    let id = uploaded(&store, "Dunes").await;
    planned(&store, &id, &[job(JobKind::Video, 1)]).await;
    let listed = store.jobs.list(None, 10).await.unwrap().jobs;
    assert!(listed.iter().all(|job| job.worker.is_none() && job.claimed_at.is_none()), "{listed:?}");
    let before = Timestamp::now();
    let run = store.jobs.claim(&[JobKind::Video], "worker", LEASE).await.unwrap().unwrap();
    let listed = store.jobs.list(None, 10).await.unwrap().jobs;
    let (first, rest) = listed.split_first().unwrap();
    assert_eq!(
        (first.kind, first.title.as_str(), first.worker.as_deref()),
        (JobKind::Video, "Dunes", Some("worker"))
    );
    assert_eq!((first.segments.clone(), first.state, first.attempts), (run.segments, QueueState::Running, 1));
    assert!(first.claimed_at.unwrap() >= before, "{first:?}");
    assert!(rest.iter().all(|job| job.state == QueueState::Waiting), "{rest:?}");
    assert_eq!(store.jobs.list(None, 1).await.unwrap().jobs.len(), 1);
}

#[tokio::test]
async fn a_cancelled_video_has_no_work_and_can_be_tried_again() {
    let (store, _folder) = store().await;
    let id = uploaded(&store, "v").await;
    let cancelled = Failure { code: "cancelled".into(), message: "Cancelled.".into() };
    assert!(store.videos.cancel(&id, &cancelled).await.unwrap());
    let video = store.videos.get(&id).await.unwrap().unwrap();
    assert_eq!((video.state, video.failure), (State::Failed, Some(cancelled.clone())));
    assert!(store.jobs.list(None, 10).await.unwrap().jobs.is_empty());
    assert!(!store.videos.cancel(&id, &cancelled).await.unwrap(), "there is nothing to cancel");
    assert!(store.videos.retry(&id).await.unwrap());
    assert_eq!(store.jobs.list(None, 10).await.unwrap().jobs[0].kind, JobKind::Prepare);
}

#[tokio::test]
async fn the_queue_is_read_page_by_page_with_each_job_once() {
    let (store, _folder) = store().await;
    for n in 0..5 {
        uploaded(&store, &format!("Video {n}")).await;
    }
    store.jobs.claim(&[JobKind::Prepare], "worker", LEASE).await.unwrap().unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = store.jobs.list(after.as_ref(), 1).await.unwrap();
        assert!(page.jobs.len() <= 1);
        seen.extend(page.jobs.into_iter().map(|job| (job.state, job.title)));
        // As a client gives it back.
        let Some(next) = page.next else { break };
        after = Some(JobPlace::parse(&next.to_string()).unwrap());
    }
    let whole = store.jobs.list(None, 100).await.unwrap().jobs;
    let whole: Vec<_> = whole.into_iter().map(|job| (job.state, job.title)).collect();
    assert_eq!(seen, whole);
    assert_eq!(seen.iter().filter(|(state, _)| *state == QueueState::Running).count(), 1);
}
