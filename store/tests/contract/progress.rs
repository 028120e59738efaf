//! The promises about progress: how far and how fast each rendition is, and which ones playlists list.

use store::{Attempt, JobClass, JobKind, NewJob, NewPlan, Rendition, Segment, Store, VideoId};

use super::{LEASE, rendition, uploaded};
use crate::store;

const TOTAL: u32 = 10;

/// Plans a minute of two renditions, in two runs; players begin on the second.
async fn planned(store: &Store) -> VideoId {
    let id = uploaded(store, "v").await;
    let prepare = store.jobs.claim(&[JobKind::Prepare], "planner", LEASE).await.unwrap().unwrap();
    let run = |first: u32| NewJob {
        kind: JobKind::Video,
        track: "720p 480p".into(),
        segments: first..first + 5,
        class: JobClass::Rest,
        turn: i64::from(first),
    };
    let plan = NewPlan {
        json: "{}",
        duration_seconds: 60.0,
        renditions: &[rendition("720p", TOTAL), Rendition { start_up: true, ..rendition("480p", TOTAL) }],
        jobs: &[run(0), run(5)],
        captions: &[],
        listen: false,
        notes: &[],
    };
    store.renditions.plan(&id, &plan).await.unwrap();
    store.jobs.finish(&prepare).await.unwrap();
    id
}

async fn publish(store: &Store, id: &VideoId, rendition: &str, numbers: impl IntoIterator<Item = u32>) {
    for number in numbers {
        let segment = Segment { number, facts: "{}".into() };
        store.renditions.publish(id, rendition, &segment).await.unwrap();
    }
}

async fn listed(store: &Store, id: &VideoId) -> Vec<String> {
    let all = store.renditions.of(id).await.unwrap();
    all.into_iter().filter(|it| it.listed).map(|it| it.rendition.name).collect()
}

#[tokio::test]
async fn a_rendition_has_its_workers_their_speed_and_the_time_that_is_left() {
    let (store, _folder) = store().await;
    let id = planned(&store).await;
    let of_best = async || store.renditions.of_all(std::slice::from_ref(&id)).await.unwrap()[&id][0].clone();
    let waiting = of_best().await;
    assert_eq!((waiting.workers, waiting.speed, waiting.seconds_left), (0, None, None));
    let one = store.jobs.claim(&[JobKind::Video], "one", LEASE).await.unwrap().unwrap();
    let other = store.jobs.claim(&[JobKind::Video], "other", LEASE).await.unwrap().unwrap();
    let begun = of_best().await;
    assert_eq!((begun.workers, begun.speed), (2, None), "no segment has come yet");
    store.jobs.set_speed(&one, 1.5).await.unwrap();
    store.jobs.set_speed(&other, 0.5).await.unwrap();
    publish(&store, &id, "720p", [0, 5]).await;
    let going = of_best().await;
    assert_eq!((going.segments_published, going.speed, going.seconds_left), (2, Some(2.0), Some(24.0)));
    store.jobs.release(&one, LEASE, Attempt::Interrupted).await.unwrap();
    let slower = of_best().await;
    assert_eq!((slower.workers, slower.speed, slower.seconds_left), (1, Some(0.5), Some(96.0)));
}

#[tokio::test]
async fn a_rendition_is_listed_once_players_can_live_on_it_and_the_playlists_are_written_again() {
    let (store, _folder) = store().await;
    let id = planned(&store).await;
    assert_eq!(listed(&store, &id).await, ["480p"]);
    let playlists =
        async || store.jobs.claim(&[JobKind::Playlists], "writer", LEASE).await.unwrap().is_some();
    assert!(!store.renditions.list(&id, &["480p"]).await.unwrap(), "it is listed");
    assert!(!store.renditions.list_whole(&id).await.unwrap(), "nothing is whole");
    assert!(!playlists().await);
    assert!(store.renditions.list(&id, &["720p", "480p"]).await.unwrap());
    assert_eq!(listed(&store, &id).await, ["720p", "480p"]);
    assert!(playlists().await);
    assert!(!store.renditions.list(&id, &["720p"]).await.unwrap());
}

#[tokio::test]
async fn a_rendition_that_is_whole_is_listed_however_slow_it_was() {
    let (store, _folder) = store().await;
    let id = planned(&store).await;
    publish(&store, &id, "720p", 0..TOTAL - 1).await;
    assert!(!store.renditions.list_whole(&id).await.unwrap());
    publish(&store, &id, "720p", [TOTAL - 1]).await;
    assert!(store.renditions.list_whole(&id).await.unwrap());
    assert_eq!(listed(&store, &id).await, ["720p", "480p"]);
}

#[tokio::test]
async fn what_is_published_is_read_as_ranges() {
    let (store, _folder) = store().await;
    let id = planned(&store).await;
    publish(&store, &id, "480p", [7, 0, 1, 2, 8]).await;
    publish(&store, &id, "720p", [9]).await;
    let ranges = store.renditions.published(&[id.clone(), VideoId::random()]).await.unwrap();
    let ranges = ranges[&id].iter().map(|it| format!("{} {:?}", it.rendition, it.segments));
    assert_eq!(ranges.collect::<Vec<_>>(), ["480p 0..3", "480p 7..9", "720p 9..10"]);
}
