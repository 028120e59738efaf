//! Purges: stored responses dropped by the origin's order.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use edge::{Config, Purge};

use crate::harness::{Origin, Reply, Running, reply, until};

const SEGMENT: &[(&str, &str)] = &[("cache-control", "public, max-age=31536000, immutable")];
const PLAYLIST: &[(&str, &str)] = &[("cache-control", "public, max-age=60")];

async fn edge_with_videos() -> (Origin, Running) {
    let mut number = 0;
    let origin = Origin::start(move |seen| {
        number += 1;
        let fields = if seen.path.contains(".m4s") { SEGMENT } else { PLAYLIST };
        reply(200, fields, &number.to_string())
    })
    .await;
    let edge = Running::before(&origin, Config::default()).await;
    for path in ["/v/1/0.m4s", "/v/1/media.m3u8", "/v/10/0.m4s", "/v/10/media.m3u8"] {
        edge.get(path).await;
    }
    (origin, edge)
}

fn one(video: &str) -> BTreeSet<String> {
    BTreeSet::from([video.to_owned()])
}

async fn check(edge: &Running, path: &str, hit: bool) {
    let only = edge.ask("GET", path, &[("cache-control", "only-if-cached")]).await;
    assert_eq!(only.is_hit(), hit, "{path}: {only:?}");
}

#[tokio::test]
async fn a_video_that_is_gone_is_forgotten_whole_and_no_other() {
    let (_origin, edge) = edge_with_videos().await;
    edge.edge.purge(Purge { gone: one("1"), ..Purge::default() }).await;
    for (path, hit) in
        [("/v/1/0.m4s", false), ("/v/1/media.m3u8", false), ("/v/10/0.m4s", true), ("/v/10/media.m3u8", true)]
    {
        check(&edge, path, hit).await;
    }
}

#[tokio::test]
async fn of_a_video_that_changed_only_what_can_change_is_forgotten() {
    let (_origin, edge) = edge_with_videos().await;
    edge.edge.purge(Purge { changed: one("1"), ..Purge::default() }).await;
    for (path, hit) in [("/v/1/0.m4s", true), ("/v/1/media.m3u8", false), ("/v/10/media.m3u8", true)] {
        check(&edge, path, hit).await;
    }
}

#[tokio::test]
async fn after_a_missed_purge_everything_is_revalidated_and_nothing_is_fetched_again() {
    let origin = Origin::start(|seen| {
        let fields = &[("etag", "\"1\""), SEGMENT[0]];
        if seen.headers.contains_key("if-none-match") {
            return reply(304, fields, "");
        }
        reply(200, fields, "segment")
    })
    .await;
    let config = Config { prefetches: 0, ..Config::default() };
    let edge = Running::before(&origin, config).await;
    edge.get("/v/1/0.m4s").await;
    edge.edge.purge(Purge { all: true, ..Purge::default() }).await;
    check(&edge, "/v/1/0.m4s", false).await;
    // The clock has milliseconds: an object received in the millisecond of the purge is revalidated too.
    edge.clock.skip(Duration::from_millis(1));
    let asked = edge.get("/v/1/0.m4s").await;
    assert_eq!((asked.text(), asked.did().contains("fwd=stale; fwd-status=304")), ("segment", true));
    check(&edge, "/v/1/0.m4s", true).await;
    assert_eq!(edge.edge.metrics().fetches, 2);
}

#[tokio::test]
async fn a_fetch_in_flight_during_its_purge_is_not_stored() {
    let (release, held) = tokio::sync::oneshot::channel();
    let mut held = Some(held);
    let origin = Origin::start(move |_| match held.take() {
        Some(held) => Reply::Later(held),
        None => reply(200, SEGMENT, "new").into(),
    })
    .await;
    let edge = Arc::new(Running::before(&origin, Config::default()).await);
    let early = tokio::spawn({
        let edge = edge.clone();
        async move { edge.get("/v/1/init.mp4").await }
    });
    origin.asked(1).await;
    edge.edge.purge(Purge { gone: one("1"), ..Purge::default() }).await;
    // A request after the purge does not get a response requested before it.
    assert_eq!(edge.get("/v/1/init.mp4").await.text(), "new");
    release.send(reply(200, SEGMENT, "old")).map_err(drop).unwrap();
    assert_eq!(early.await.unwrap().text(), "old");
    until("the old one to land", || edge.edge.metrics().fetches == 2).await;
    let answer = edge.get("/v/1/init.mp4").await;
    assert_eq!((answer.text(), answer.is_hit()), ("new", true));
}

#[tokio::test]
async fn a_purge_of_playlists_does_not_split_the_waiters_of_a_segment() {
    let mut held = std::collections::BTreeMap::new();
    let mut releases = Vec::new();
    for path in ["/v/1/init.mp4", "/v/1/media.m3u8"] {
        let (release, answer) = tokio::sync::oneshot::channel();
        held.insert(path.to_owned(), answer);
        releases.push(release);
    }
    let origin = Origin::start(move |seen| match held.remove(&seen.path) {
        Some(held) => Reply::Later(held),
        None => reply(200, PLAYLIST, "new").into(),
    })
    .await;
    let edge = Arc::new(Running::before(&origin, Config::default()).await);
    let ask = |path: &'static str| {
        let edge = edge.clone();
        tokio::spawn(async move { edge.get(path).await })
    };
    let waiting = [ask("/v/1/init.mp4"), ask("/v/1/media.m3u8")];
    origin.asked(2).await;
    edge.edge.purge(Purge { changed: one("1"), ..Purge::default() }).await;
    let late = ask("/v/1/init.mp4");
    until("it to wait with the first", || edge.edge.metrics().collapsed == 1).await;
    for (release, fields) in releases.into_iter().zip([SEGMENT, PLAYLIST]) {
        release.send(reply(200, fields, "old")).map_err(drop).unwrap();
    }
    for answer in waiting.into_iter().chain([late]) {
        assert_eq!(answer.await.unwrap().text(), "old");
    }
    // An immutable object is kept; a playlist requested before the purge is not.
    check(&edge, "/v/1/init.mp4", true).await;
    assert_eq!(edge.get("/v/1/media.m3u8").await.text(), "new");
}

#[tokio::test]
async fn a_playlist_requested_after_its_purge_is_not_the_old_one() {
    let (release, held) = tokio::sync::oneshot::channel();
    let mut held = Some(held);
    let origin = Origin::start(move |_| match held.take() {
        Some(held) => Reply::Later(held),
        None => reply(200, PLAYLIST, "new").into(),
    })
    .await;
    let edge = Arc::new(Running::before(&origin, Config::default()).await);
    let ask = || {
        let edge = edge.clone();
        tokio::spawn(async move { edge.get("/v/1/media.m3u8").await })
    };
    let early = ask();
    origin.asked(1).await;
    edge.edge.purge(Purge { changed: one("1"), ..Purge::default() }).await;
    let late = ask();
    until("it to wait with the first", || edge.edge.metrics().collapsed == 1).await;
    release.send(reply(200, PLAYLIST, "old")).map_err(drop).unwrap();
    assert_eq!((early.await.unwrap().text(), late.await.unwrap().text()), ("old", "new"));
    assert_eq!(origin.count(), 2);
}
