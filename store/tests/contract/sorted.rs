//! The promises about the orders of lists: the same on every database, in pages without gaps, whatever comes meanwhile.

use store::{Cursor, Edit, Listing, NewPlan, Shown, Sort, State, Store, Tag, Timestamp, VideoId};

use super::{LEASE, uploaded};
use crate::store;

struct Made {
    title: &'static str,
    seconds: f64,
    views: u32,
}

const MADE: [Made; 7] = [
    Made { title: "Episode 10", seconds: 30.0, views: 2 },
    Made { title: "éclair", seconds: 0.0, views: 0 },
    Made { title: "Zebra", seconds: 7200.5, views: 1 },
    Made { title: "episode 9", seconds: 29.9, views: 2 },
    Made { title: "Ελλάδα", seconds: 31.0, views: 0 },
    Made { title: "Eclair", seconds: 30.0, views: 3 },
    Made { title: "2001", seconds: 0.0, views: 0 },
];

const EXPECTED: [(Sort, [&str; 7]); 5] = [
    (Sort::Newest, ["2001", "Eclair", "Ελλάδα", "episode 9", "Zebra", "éclair", "Episode 10"]),
    (Sort::Oldest, ["Episode 10", "éclair", "Zebra", "episode 9", "Ελλάδα", "Eclair", "2001"]),
    (Sort::Title, ["2001", "éclair", "Eclair", "episode 9", "Episode 10", "Zebra", "Ελλάδα"]),
    (Sort::Views, ["Eclair", "episode 9", "Episode 10", "Zebra", "2001", "Ελλάδα", "éclair"]),
    (Sort::Longest, ["Zebra", "Ελλάδα", "Eclair", "Episode 10", "episode 9", "2001", "éclair"]),
];

async fn make(store: &Store, made: &Made) -> VideoId {
    let id = uploaded(store, made.title).await;
    if made.seconds > 0.0 {
        let prepare = store.jobs.claim(&[store::JobKind::Prepare], "planner", LEASE).await.unwrap().unwrap();
        let plan = NewPlan {
            json: "{}",
            duration_seconds: made.seconds,
            renditions: &[],
            jobs: &[],
            captions: &[],
            listen: false,
            notes: &[],
        };
        store.renditions.plan(&prepare.video, &plan).await.unwrap();
        store.jobs.finish(&prepare).await.unwrap();
    } else {
        // Out of the way of the others' plans.
        let failure = store::Failure { code: "cancelled".into(), message: String::new() };
        assert!(store.videos.cancel(&id, &failure).await.unwrap());
    }
    for viewer in 0..made.views {
        store.views.count(&id, &format!("viewer {viewer}"), Timestamp::now()).await.unwrap();
    }
    id
}

/// Returns the titles of a list that is read in pages of `limit`.
async fn titles(store: &Store, listing: Listing<'_>, limit: u32) -> Vec<String> {
    let (mut titles, mut after) = (Vec::new(), None::<Cursor>);
    loop {
        let page = store.videos.list(Listing { after: after.as_ref(), ..listing }, limit).await.unwrap();
        titles.extend(page.videos.into_iter().map(|video| video.title));
        after = page.next;
        if after.is_none() {
            return titles;
        }
    }
}

#[tokio::test]
async fn each_order_is_the_same_in_pages_of_any_length_for_every_list() {
    let (store, _folder) = store().await;
    for made in &MADE {
        let id = make(&store, made).await;
        let edit = Edit { tags: Some(vec![Tag::of("film")]), ..Edit::default() };
        store.videos.edit(&id, &edit).await.unwrap().unwrap();
    }
    for (sort, expected) in EXPECTED {
        for shown in [Shown::All, Shown::PublicAnd(None)] {
            for tag in [None, Some("film")] {
                let listing = Listing { sort, tag, ..Listing::of(&shown) };
                for limit in [1, 2, 3, 100] {
                    assert_eq!(titles(&store, listing, limit).await, expected, "{sort:?} {shown:?} {tag:?}");
                }
            }
        }
        let failed = Listing { sort, state: Some(State::Failed), ..Listing::of(&Shown::All) };
        let of_failed: Vec<_> =
            expected.into_iter().filter(|title| ["éclair", "2001"].contains(title)).collect();
        assert_eq!(titles(&store, failed, 1).await, of_failed, "{sort:?}");
    }
}

#[tokio::test]
async fn a_page_goes_on_behind_its_last_video_whatever_is_added_and_renamed_meanwhile() {
    let (store, _folder) = store().await;
    for title in ["b", "d", "f", "h"] {
        uploaded(&store, title).await;
    }
    let listing = Listing { sort: Sort::Title, ..Listing::of(&Shown::All) };
    let first = store.videos.list(listing, 2).await.unwrap();
    let titles_of = |page: &store::Page| page.videos.iter().map(|it| it.title.clone()).collect::<Vec<_>>();
    assert_eq!(titles_of(&first), ["b", "d"]);
    for title in ["a", "c", "e"] {
        uploaded(&store, title).await;
    }
    let rename = Edit { title: Some("g".into()), ..Edit::default() };
    store.videos.edit(&first.videos[0].id, &rename).await.unwrap().unwrap();
    assert!(store.delete(&first.videos[1].id).await.unwrap());
    let second = store.videos.list(Listing { after: first.next.as_ref(), ..listing }, 10).await.unwrap();
    assert_eq!(titles_of(&second), ["e", "f", "g", "h"]);
}
