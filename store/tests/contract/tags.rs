//! The promises about tags and views.

use std::time::Duration;

use store::{Edit, Listing, Shown, Tag, Timestamp, VideoId};

use super::uploaded;
use crate::store;

#[tokio::test]
async fn tags_are_kept_in_order_and_a_list_has_those_with_one_of_them() {
    let (store, _folder) = store().await;
    let ids = [uploaded(&store, "a").await, uploaded(&store, "b").await];
    let edit =
        |tags: &[&str]| Edit { tags: Some(tags.iter().map(|tag| Tag::of(tag)).collect()), ..Edit::default() };
    store.videos.edit(&ids[0], &edit(&["Zoo", "Antelope", "zoo"])).await.unwrap().unwrap();
    store.videos.edit(&ids[1], &edit(&["ZOO"])).await.unwrap().unwrap();
    let tags = store.videos.tags_of_all(&ids).await.unwrap();
    assert_eq!(
        (&tags[&ids[0]][..], &tags[&ids[1]][..]),
        (&["Zoo", "Antelope"].map(str::to_owned)[..], &["ZOO".to_owned()][..])
    );
    let list = async |tag: &str| -> Vec<String> {
        let listing = Listing { tag: Some(&Tag::of(tag).key), ..Listing::of(&Shown::All) };
        store.videos.list(listing, 10).await.unwrap().videos.into_iter().map(|video| video.title).collect()
    };
    assert_eq!(list("zoO").await, ["b", "a"]);
    assert_eq!(list("antelope").await, ["a"]);
    assert_eq!(list("ante").await, [""; 0]);
    assert!(store.delete(&ids[0]).await.unwrap());
    assert_eq!(list("zoo").await, ["b"]);
}

#[tokio::test]
async fn a_viewer_counts_once_a_day_for_each_video() {
    let (store, _folder) = store().await;
    let ids = [uploaded(&store, "a").await, uploaded(&store, "b").await];
    let day = |n: u64| Timestamp(0) + Duration::from_hours(24 * n) + Duration::from_hours(1);
    let views = async |id: &VideoId| store.videos.get(id).await.unwrap().unwrap().views;
    for (viewer, at, counts) in [
        ("anna", day(20_000), true),
        ("anna", day(20_000) + Duration::from_hours(22), false),
        ("bob", day(20_000), true),
        ("anna", day(20_001), true),
        ("anna", day(20_001), false),
    ] {
        assert_eq!(store.views.count(&ids[0], viewer, at).await.unwrap(), counts, "{viewer} {at:?}");
    }
    assert!(store.views.count(&ids[1], "anna", day(20_001)).await.unwrap());
    assert_eq!((views(&ids[0]).await, views(&ids[1]).await), (3, 1));
    assert!(!store.views.count(&VideoId::random(), "anna", day(20_001)).await.unwrap());
    // Of two at once, one counts.
    let (first, second) = tokio::join!(
        store.views.count(&ids[1], "eve", day(20_001)),
        store.views.count(&ids[1], "eve", day(20_001))
    );
    assert!(first.unwrap() != second.unwrap());
    assert_eq!(views(&ids[1]).await, 2);
}
