//! The promises of every store, whatever it is built on. Drives the public calls alone; the test binary that
//! holds a store to it gives it by `store()`.

mod accounts;
mod captions;
mod fairness;
mod grants;
mod idempotency;
mod identities;
mod mail;
mod pages;
mod posters;
mod progress;
mod queue;
mod quotas;
mod revocations;
mod runs;
pub(crate) mod search;
mod second_factors;
mod sorted;
pub(crate) mod statements;
mod tags;
mod webhooks;

use std::time::Duration;

use store::{
    Edit, Error, Failure, JobClass, JobKind, Listing, Loss, NewJob, NewPlan, NewVideo, Rendition,
    RenditionKind, Segment, Shown, Signal, State, Store, Timestamp, VideoId,
};

use crate::store;

pub(crate) const LEASE: Duration = Duration::from_mins(1);

pub(crate) fn video(title: &str) -> NewVideo {
    NewVideo { title: title.into(), description: String::new(), source_name: "clip.mp4".into(), owner: None }
}

pub(crate) fn later() -> Timestamp {
    Timestamp::now() + Duration::from_hours(1)
}

pub(crate) async fn uploaded(store: &Store, title: &str) -> VideoId {
    let upload = store.uploads.begin(&video(title), Some(5), later()).await.unwrap();
    let mut append = store.uploads.append(&upload.id, false).await.unwrap().unwrap();
    append.write(b"bytes").await.unwrap();
    store.uploads.finish(append).await.unwrap();
    upload.id
}

fn rendition(name: &str, segments_total: u32) -> Rendition {
    Rendition {
        name: name.into(),
        kind: RenditionKind::Video,
        width: Some(1280),
        height: Some(720),
        frame_rate: Some(25.0),
        bitrate_bps: Some(2_800_000),
        language: None,
        label: None,
        codecs: None,
        segments_total,
        start_up: false,
    }
}

fn job(kind: JobKind, first: u32) -> NewJob {
    NewJob { kind, track: String::new(), segments: first..first + 1, class: JobClass::Rest, turn: 0 }
}

async fn planned(store: &Store, id: &VideoId, jobs: &[NewJob]) {
    let prepare = store.jobs.claim(&[JobKind::Prepare], "planner", LEASE).await.unwrap().unwrap();
    let plan = NewPlan {
        json: "{}",
        duration_seconds: 12.0,
        renditions: &[rendition("720p", 2)],
        jobs,
        captions: &[],
        listen: false,
        notes: &[],
    };
    store.renditions.plan(id, &plan).await.unwrap();
    store.jobs.finish(&prepare).await.unwrap();
}

/// The migration of a newer program, which only adds.
pub(crate) const OF_TOMORROW: &str = "create table of_tomorrow (id text primary key);
    alter table videos add column of_tomorrow text;
    alter table jobs add column of_tomorrow bigint not null default 7;
    insert into _sqlx_migrations (version, description, success, checksum, execution_time)
    values (99999999999999, 'of tomorrow', true, '', 0);";

/// Claims the job of a video that was uploaded, and finishes it.
pub(crate) async fn claims_and_finishes(store: &Store) {
    let job = store.jobs.claim(&[JobKind::Prepare], "w", LEASE).await.unwrap().unwrap();
    assert!(store.jobs.finish(&job).await.unwrap());
    assert!(store.jobs.claim(&[JobKind::Prepare], "w", LEASE).await.unwrap().is_none());
}

#[tokio::test]
async fn one_at_a_time_appends_and_the_offset_is_what_is_stored() {
    let (store, _folder) = store().await;
    let id = store.uploads.begin(&video("v"), Some(10), later()).await.unwrap().id;
    let mut append = store.uploads.append(&id, false).await.unwrap().unwrap();
    assert!(store.uploads.append(&id, false).await.unwrap().is_none());
    append.write(b"hello").await.unwrap();
    assert_eq!(append.sync().await.unwrap(), 5);
    assert_eq!(store.uploads.offset(&id).await.unwrap(), 5);
    drop(append);
    // Other processes of a cluster see it in a moment.
    let append = loop {
        match store.uploads.append(&id, false).await.unwrap() {
            Some(append) => break append,
            None => tokio::task::yield_now().await,
        }
    };
    assert_eq!(append.offset(), 5);
}

#[tokio::test]
async fn a_finished_upload_is_a_source_with_work_to_do() {
    let (store, _folder) = store().await;
    let mut signals = store.signals.subscribe();
    let id = uploaded(&store, "v").await;
    assert_eq!(store.blobs.read(&id.source()).await.unwrap().unwrap(), &b"bytes"[..]);
    assert!(store.uploads.get(&id).await.unwrap().is_none());
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().state, State::Uploaded);
    // A cluster's signals are of other libraries' videos too, where they share a Redis.
    while signals.recv().await.unwrap() != Signal::Changed(id.clone()) {}
    let job = store.jobs.claim(&[JobKind::Prepare], "w", LEASE).await.unwrap().unwrap();
    assert_eq!((job.video, job.kind, job.attempts), (id, JobKind::Prepare, 1));
}

#[tokio::test]
async fn abandoned_uploads_go_and_others_stay() {
    let (store, _folder) = store().await;
    let old = store.uploads.begin(&video("old"), None, Timestamp(1)).await.unwrap().id;
    let new = store.uploads.begin(&video("new"), None, later()).await.unwrap().id;
    assert_eq!(store.sweep_expired(Timestamp::now()).await.unwrap(), 1);
    assert!(store.videos.get(&old).await.unwrap().is_none());
    assert!(store.videos.get(&new).await.unwrap().is_some());
}

#[tokio::test]
async fn a_video_moves_from_planned_to_ready_and_shows_its_progress() {
    let (store, _folder) = store().await;
    let id = uploaded(&store, "v").await;
    planned(&store, &id, &[]).await;
    assert!(!store.videos.mark_playable(&VideoId::random()).await.unwrap());
    let segment = |number| Segment { number, facts: format!("{{\"n\":{number}}}") };
    for number in [1, 0, 0] {
        store.renditions.publish(&id, "720p", &segment(number)).await.unwrap();
    }
    assert_eq!(store.renditions.segments(&id, "720p").await.unwrap(), [segment(0), segment(1)]);
    assert_eq!(store.renditions.of(&id).await.unwrap()[0].segments_published, 2);
    assert!(store.videos.mark_playable(&id).await.unwrap());
    assert!(!store.videos.mark_playable(&id).await.unwrap());
    assert!(store.videos.mark_ready(&id).await.unwrap());
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().state, State::Ready);
}

#[tokio::test]
async fn a_video_keeps_notes_and_its_segments_what_they_lost() {
    let (store, _folder) = store().await;
    let id = uploaded(&store, "v").await;
    planned(&store, &id, &[]).await;
    assert!(store.videos.get(&id).await.unwrap().unwrap().notes.is_empty());
    let notes = ["The first part.".to_owned(), "Über alles; 50 %.".to_owned()];
    store.videos.set_notes(&id, &notes).await.unwrap();
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().notes, notes);
    for number in [0, 1] {
        store.renditions.publish(&id, "720p", &Segment { number, facts: "{}".into() }).await.unwrap();
    }
    let lost = |number, milliseconds| Loss { number, milliseconds };
    store.renditions.set_lost(&id, "720p", &lost(1, 900)).await.unwrap();
    // A second run over the same segment knows better.
    store.renditions.set_lost(&id, "720p", &lost(1, 400)).await.unwrap();
    assert_eq!(store.renditions.losses(&id, "720p").await.unwrap(), [lost(1, 400)]);
}

#[tokio::test]
async fn nothing_is_published_of_a_video_that_is_gone() {
    let (store, _folder) = store().await;
    let id = uploaded(&store, "v").await;
    planned(&store, &id, &[job(JobKind::Video, 0)]).await;
    assert!(store.delete(&id).await.unwrap());
    assert!(!store.delete(&id).await.unwrap());
    let segment = Segment { number: 0, facts: "{}".into() };
    assert!(matches!(store.renditions.publish(&id, "720p", &segment).await, Err(Error::Gone(_))));
    assert!(store.jobs.claim(&[JobKind::Video], "w", LEASE).await.unwrap().is_none());
    assert!(store.blobs.read(&id.source()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_failed_video_has_a_reason_and_can_be_tried_again() {
    let (store, _folder) = store().await;
    let id = uploaded(&store, "v").await;
    assert!(!store.videos.retry(&id).await.unwrap());
    let failure = Failure { code: "not_media".into(), message: "No.".into() };
    let lost = store.jobs.claim(&[JobKind::Prepare], "a", Duration::ZERO).await.unwrap().unwrap();
    let job = store.jobs.claim(&[JobKind::Prepare], "b", LEASE).await.unwrap().unwrap();
    store.videos.fail(&lost, &failure).await.unwrap();
    assert_eq!(
        store.videos.get(&id).await.unwrap().unwrap().state,
        State::Uploaded,
        "the lease is no longer a's"
    );
    store.videos.fail(&job, &failure).await.unwrap();
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().failure, Some(failure));
    assert!(store.jobs.claim(&[JobKind::Prepare], "w", LEASE).await.unwrap().is_none());
    assert!(store.videos.retry(&id).await.unwrap());
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().state, State::Uploaded);
    assert!(store.jobs.claim(&[JobKind::Prepare], "w", LEASE).await.unwrap().is_some());
}

#[tokio::test]
async fn the_list_is_newest_first_in_pages_without_gaps() {
    let (store, _folder) = store().await;
    for n in 0..5 {
        uploaded(&store, &n.to_string()).await;
    }
    let mut titles = Vec::new();
    let mut after = None;
    loop {
        let page = store
            .videos
            .list(Listing { after: after.as_ref(), ..Listing::of(&Shown::All) }, 2)
            .await
            .unwrap();
        titles.extend(page.videos.into_iter().map(|v| v.title));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(titles, ["4", "3", "2", "1", "0"]);
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_no_more() {
    let (store, _folder) = store().await;
    let id = uploaded(&store, "old").await;
    let edit = Edit { description: Some("words".into()), ..Edit::default() };
    let video = store.videos.edit(&id, &edit).await.unwrap().unwrap();
    assert_eq!((video.title.as_str(), video.description.as_str()), ("old", "words"));
    assert!(store.videos.edit(&VideoId::random(), &edit).await.unwrap().is_none());
    // Another's change of meanwhile is not written over.
    let seen = |revision: u64| Edit { seen: Some(revision), ..edit.clone() };
    let refused = store.videos.edit(&id, &seen(video.revision - 1)).await;
    assert!(matches!(refused, Err(Error::Edited { revision: 1, .. })), "{refused:?}");
    let again = store.videos.edit(&id, &seen(video.revision)).await.unwrap().unwrap();
    assert_eq!(again.revision, video.revision + 1);
    assert!(store.videos.edit(&VideoId::random(), &seen(0)).await.unwrap().is_none());
}

#[tokio::test]
async fn a_finish_that_could_not_commit_is_completed_by_the_next_look() {
    let (store, _folder) = store().await;
    let id = store.uploads.begin(&video("v"), Some(5), later()).await.unwrap().id;
    // As a server leaves it that dies between moving the file and committing.
    store.blobs.put(&id.source(), b"bytes").await.unwrap();
    assert!(store.uploads.get(&id).await.unwrap().is_none());
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().state, State::Uploaded);
}

#[tokio::test]
async fn an_upload_is_one_origins_at_a_time_and_a_dead_ones_not_for_long() {
    let (store, _folder) = store().await;
    let uploads = &store.uploads;
    let id = uploads.begin(&video("v"), Some(10), later()).await.unwrap().id;
    let mut first = uploads.leases.acquire(&id, LEASE).await.unwrap().unwrap();
    assert!(uploads.leases.acquire(&id, LEASE).await.unwrap().is_none());
    assert!(uploads.leases.store_up_to(&mut first, 4, Duration::ZERO).await.unwrap());
    let mut second = uploads.leases.acquire(&id, LEASE).await.unwrap().unwrap();
    assert!(second.fence > first.fence);
    assert_eq!(second.stored, 4);
    assert!(!uploads.leases.store_up_to(&mut first, 9, LEASE).await.unwrap(), "it was taken over");
    assert!(!uploads.leases.renew(&first, LEASE).await.unwrap());
    uploads.leases.release(&first).await.unwrap();
    assert!(uploads.leases.acquire(&id, LEASE).await.unwrap().is_none());
    assert!(uploads.leases.store_up_to(&mut second, 10, LEASE).await.unwrap());
    uploads.leases.release(&second).await.unwrap();
    assert_eq!(uploads.leases.acquire(&id, LEASE).await.unwrap().unwrap().stored, 10);
    assert!(uploads.leases.acquire(&VideoId::random(), LEASE).await.unwrap().is_none());
}
