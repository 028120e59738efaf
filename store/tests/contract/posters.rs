//! The promises about posters that their owners choose.

use store::{Error, JobClass, JobKind, NewPoster, PosterKind, Store, VideoId};

use super::{LEASE, planned, uploaded};
use crate::store;

/// Returns the names of the blobs in a video's folder.
async fn blobs(store: &Store, video: &VideoId) -> Vec<String> {
    store.blobs.children(&video.folder()).await.unwrap()
}

#[tokio::test]
async fn a_chosen_poster_waits_for_a_packager_and_is_the_videos_once_it_is_made() {
    let (store, _folder) = store().await;
    let id = uploaded(&store, "v").await;
    assert_eq!(store.posters.choose(&id, NewPoster::Frame(1.5)).await.unwrap(), None, "there is no plan yet");
    planned(&store, &id, &[]).await;
    let choice = store.posters.choose(&id, NewPoster::Frame(1.5)).await.unwrap().unwrap();
    assert_eq!((choice.kind, &choice.problem), (PosterKind::Frame { seconds: 1.5 }, &None));
    assert_eq!(store.posters.choice(&id).await.unwrap(), Some(choice.clone()));
    let classes = JobClass::Asked..=JobClass::Asked;
    let claim = store::Claim { owner: "w", lease: LEASE };
    let job = store.jobs.claim_of(&classes, &[JobKind::Poster], &claim).await.unwrap().unwrap();
    store.posters.made(&id, &choice).await.unwrap();
    assert!(store.jobs.finish(&job).await.unwrap());
    let poster = store.videos.get(&id).await.unwrap().unwrap().poster;
    assert_eq!((poster.kind, poster.version), (choice.kind, 1));
    assert_eq!(store.posters.choice(&id).await.unwrap(), None);
    assert!(store.jobs.claim(&[JobKind::Poster], "w", LEASE).await.unwrap().is_none());
}

#[tokio::test]
async fn a_choice_in_place_of_another_has_the_job_done_once_more_and_leaves_no_picture_behind() {
    let (store, _folder) = store().await;
    let id = uploaded(&store, "v").await;
    planned(&store, &id, &[]).await;
    let first = store.posters.choose(&id, NewPoster::Picture(b"first")).await.unwrap().unwrap();
    let job = store.jobs.claim(&[JobKind::Poster], "w", LEASE).await.unwrap().unwrap();
    assert_eq!(store.posters.picture(&id, &first).await.unwrap().unwrap(), &b"first"[..]);
    let second = store.posters.choose(&id, NewPoster::Picture(b"second")).await.unwrap().unwrap();
    assert_eq!(store.posters.picture(&id, &first).await.unwrap(), None);
    // The worker had read it in time.
    store.posters.made(&id, &first).await.unwrap();
    assert_eq!(store.posters.choice(&id).await.unwrap(), Some(second.clone()));
    assert!(store.jobs.finish(&job).await.unwrap());
    let again = store.jobs.claim(&[JobKind::Poster], "w", LEASE).await.unwrap().unwrap();
    store.posters.refuse(&id, &second, "unreadable_image").await.unwrap();
    assert!(store.jobs.finish(&again).await.unwrap());
    let refused = store.posters.choice(&id).await.unwrap().unwrap();
    assert_eq!(refused.problem.as_deref(), Some("unreadable_image"));
    assert_eq!(blobs(&store, &id).await, [""; 0]);
    let video = store.videos.get(&id).await.unwrap().unwrap();
    assert_eq!((video.poster.kind, video.poster.version), (PosterKind::Picture, 1), "the first one's");
    // And one for a video that is gone leaves nothing.
    assert!(store.delete(&id).await.unwrap());
    assert_eq!(store.posters.choose(&id, NewPoster::Picture(b"late")).await.unwrap(), None);
    assert_eq!(blobs(&store, &id).await, [""; 0]);
}

#[tokio::test]
async fn a_choice_in_place_of_one_that_was_not_seen_is_refused_and_leaves_no_picture() {
    let (store, _folder) = store().await;
    let id = uploaded(&store, "v").await;
    planned(&store, &id, &[]).await;
    let first = store.posters.replace(&id, NewPoster::Frame(1.0), Some(0)).await.unwrap().unwrap();
    let late = store.posters.replace(&id, NewPoster::Picture(b"late"), Some(0)).await;
    assert!(matches!(late, Err(Error::Edited { revision: 1, .. })), "{late:?}");
    assert_eq!(store.posters.choice(&id).await.unwrap(), Some(first));
    assert_eq!(blobs(&store, &id).await, [""; 0]);
    assert!(store.posters.replace(&id, NewPoster::Automatic, Some(1)).await.unwrap().is_some());
    assert_eq!(store.videos.get(&id).await.unwrap().unwrap().poster.revision, 2);
}
