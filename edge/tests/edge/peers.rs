//! Several edges that share their keys, and the purges sent to them.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use edge::{Access, Config, Origins, PeerKeys, Peers, Purge, PurgeClient};
use server::ticket::{Keys, Scope};
use tokio::net::TcpListener;

use crate::harness::{Origin, Reply, Running, reply, until};

const FRESH: &[(&str, &str)] = &[("cache-control", "public, max-age=31536000, immutable")];
const SECRET: &str = "a secret of tests only";

fn peer_keys() -> PeerKeys {
    PeerKeys::read(SECRET).unwrap()
}

/// Starts a group of `count` edges, which know each other when this returns.
async fn group(origin: &Origin, count: usize) -> Vec<Arc<Running>> {
    group_with(origin, count, Access::Open).await
}

async fn group_with(origin: &Origin, count: usize, access: Access) -> Vec<Arc<Running>> {
    let mut listeners = Vec::new();
    for _ in 0..count {
        listeners.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
    }
    let names: Vec<String> = listeners.iter().map(|l| l.local_addr().unwrap().to_string()).collect();
    let edges: Vec<_> = (0_u32..)
        .zip(listeners)
        .map(|(id, listener)| {
            let peers = Peers::new(names.clone(), peer_keys(), id.to_string()).unwrap();
            let config = Config {
                peers: Some(peers),
                peer_keys: Some(peer_keys()),
                prefetches: 0,
                access: access.clone(),
                ..Config::default()
            };
            Arc::new(Running::at(listener, Origins::new(&[origin.url()]).unwrap(), config))
        })
        .collect();
    until("all to know all", || edges.iter().all(|edge| edge.edge.metrics().peers == count as u64)).await;
    edges
}

#[tokio::test(flavor = "multi_thread")]
async fn four_edges_and_a_thousand_clients_fetch_each_object_once() {
    let origin = Origin::start(|seen| reply(200, FRESH, &seen.path)).await;
    let edges = group(&origin, 4).await;
    let clients: Vec<_> = (0..1000)
        .map(|n: usize| {
            let edge = edges[n % 4].clone();
            let path = format!("/v/1/720p/{}.m4s", n / 4 % 50);
            tokio::spawn(async move {
                let answer = edge.ask("GET", &path, &[("host", "videos.example")]).await;
                assert_eq!(answer.text(), path);
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    let asked: BTreeSet<String> = origin.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!((asked.len(), origin.count()), (50, 50));
}

#[tokio::test]
async fn a_dead_peer_is_left_out_and_the_origin_asked_instead() {
    let origin = Origin::start(|seen| reply(200, FRESH, &seen.path)).await;
    let edges = group(&origin, 3).await;
    edges[2].die().await;
    for n in 0..20 {
        let path = format!("/{n}");
        assert_eq!(edges[0].get(&path).await.text(), path);
    }
    until("it to be left out", || edges[..2].iter().all(|edge| edge.edge.metrics().peers == 2)).await;
    assert_eq!(origin.count(), 20);
}

#[tokio::test]
async fn a_request_goes_over_one_peer_at_most() {
    let origin = Origin::start(|seen| reply(200, FRESH, &seen.path)).await;
    let edges = group(&origin, 3).await;
    for n in 0..20 {
        edges[0].get(&format!("/{n}")).await;
    }
    assert!(origin.seen().iter().all(|seen| seen.header("clipcut-signature").is_none()));
    // Each fetch of 1 and 2 was a request to 0; had they asked each other, there would be more fetches than that.
    let fetches: u64 = edges.iter().map(|edge| edge.edge.metrics().fetches).sum();
    let own = edges[0].edge.metrics().fetches;
    assert_eq!(own, 20);
    assert!((20..=40).contains(&fetches), "{fetches}");
}

#[tokio::test]
async fn edges_elsewhere_are_purged_and_obey_their_own_secret_alone() {
    let mut number = 0;
    let origin = Origin::start(move |_| {
        number += 1;
        reply(200, FRESH, &number.to_string())
    })
    .await;
    let edge = Running::before(&origin, Config { peer_keys: Some(peer_keys()), ..Config::default() }).await;
    edge.get("/v/1/init.mp4").await;
    let purge = Purge { gone: BTreeSet::from(["1".to_owned()]), ..Purge::default() };
    let names = vec![edge.address.to_string()];
    let stranger =
        PurgeClient::new(names.clone(), PeerKeys::read("another secret of tests").unwrap()).unwrap();
    stranger.publish(&purge).await;
    assert!(edge.get("/v/1/init.mp4").await.is_hit());
    PurgeClient::new(names, peer_keys()).unwrap().publish(&purge).await;
    assert!(!edge.get("/v/1/init.mp4").await.is_hit());
    assert_eq!(edge.edge.metrics().purged, 1);
}

#[tokio::test]
async fn an_edge_that_missed_a_purge_revalidates_everything_once_it_is_reached() {
    let origin = Origin::start(|_| reply(200, FRESH, "segment")).await;
    let address = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let purge_client = PurgeClient::new(vec![address.to_string()], peer_keys()).unwrap();
    let purge = Purge { gone: BTreeSet::from(["1".to_owned()]), ..Purge::default() };
    purge_client.publish(&purge).await;
    let listener = TcpListener::bind(address).await.unwrap();
    let config = Config { peer_keys: Some(peer_keys()), prefetches: 0, ..Config::default() };
    let edge = Running::at(listener, Origins::new(&[origin.url()]).unwrap(), config);
    edge.get("/v/1/init.mp4").await;
    // An edge that missed one purge is not sent the next, but later the one that revalidates everything.
    purge_client.publish(&purge).await;
    assert!(edge.get("/v/1/init.mp4").await.is_hit());
    edge.clock.skip(Duration::from_millis(1));
    let catching_up = tokio::spawn(async move { purge_client.retry_pending().await });
    while origin.count() < 2 {
        edge.get("/v/1/init.mp4").await;
    }
    catching_up.abort();
}

#[tokio::test]
async fn a_request_to_a_frozen_peer_is_answered_by_the_origin() {
    let origin = Origin::start(|seen| reply(200, FRESH, &seen.path)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let frozen = Origin::start(|seen| match seen.path.as_str() {
        "/edge/peer" => reply(200, &[], "another").into(),
        _ => Reply::Silence,
    })
    .await;
    let names = vec![listener.local_addr().unwrap().to_string(), frozen.address.to_string()];
    let peers = Peers::new(names, peer_keys(), "one".to_owned()).unwrap();
    let config =
        Config { peers: Some(peers), peer_keys: Some(peer_keys()), prefetches: 0, ..Config::default() };
    let edge = Arc::new(Running::at(listener, Origins::new(&[origin.url()]).unwrap(), config));
    until("them to know each other", || edge.edge.metrics().peers == 2).await;
    let asking: Vec<_> = (0..20)
        .map(|n| {
            let edge = edge.clone();
            tokio::spawn(async move { edge.get(&format!("/{n}")).await.status })
        })
        .collect();
    until("some to wait for it", || frozen.seen().iter().any(|seen| seen.path != "/edge/peer")).await;
    frozen.freeze();
    for asked in asking {
        assert_eq!(asked.await.unwrap(), 200);
    }
    assert_eq!(origin.count(), 20);
}

#[tokio::test]
async fn a_peer_that_reaches_no_origin_is_no_answer_and_what_is_stale_stands_in() {
    let origin = Origin::start(|_| reply(200, &[("cache-control", "max-age=60")], "kept")).await;
    let edges = group(&origin, 2).await;
    let host = [("host", "videos.example")];
    for n in 0..20 {
        edges[0].ask("GET", &format!("/{n}"), &host).await;
    }
    origin.die().await;
    edges[0].skip(61);
    // The other one has nothing to stand in with.
    edges[1].edge.purge(Purge { all: true, ..Purge::default() }).await;
    edges[1].skip(4000);
    for n in 0..20 {
        assert_eq!(edges[0].ask("GET", &format!("/{n}"), &host).await.text(), "kept");
    }
}

#[tokio::test]
async fn an_unsafe_method_makes_the_peers_forget_too() {
    let origin = Origin::start(|seen| match seen.method {
        http::Method::GET => reply(200, FRESH, "old"),
        _ => reply(200, &[("location", "b")], ""),
    })
    .await;
    let edges = group(&origin, 3).await;
    let host = [("host", "videos.example")];
    for path in ["/a", "/b", "/c"] {
        for edge in &edges {
            edge.ask("GET", path, &host).await;
        }
    }
    edges[0].ask("POST", "/a", &host).await;
    origin.play(|_| reply(200, FRESH, "new"));
    for (path, text) in [("/a", "new"), ("/b", "new"), ("/c", "old")] {
        for edge in &edges {
            assert_eq!(edge.ask("GET", path, &host).await.text(), text, "{path}");
        }
    }
}

#[tokio::test]
async fn an_object_fetched_again_from_a_peer_purged_later_is_purged_too() {
    let origin = Origin::start(|_| reply(200, FRESH, "segment")).await;
    let config = Config { peer_keys: Some(peer_keys()), prefetches: 0, ..Config::default() };
    let early = Arc::new(Running::before(&origin, config).await);
    early.get("/v/1/init.mp4").await;
    let takes_again = early.clone();
    // Stands for the edge that is purged later: before its answer, the early one has fetched the object again.
    let late = Origin::start(move |_| {
        let (release, held) = tokio::sync::oneshot::channel();
        let edge = takes_again.clone();
        tokio::spawn(async move {
            until("the early one to forget", || edge.edge.metrics().purged > 0).await;
            edge.get("/v/1/init.mp4").await;
            _ = release.send(reply(204, &[], ""));
        });
        Reply::Later(held)
    })
    .await;
    let names = vec![early.address.to_string(), late.address.to_string()];
    let purge = Purge { gone: BTreeSet::from(["1".to_owned()]), ..Purge::default() };
    PurgeClient::new(names, peer_keys()).unwrap().publish(&purge).await;
    assert_eq!((late.count(), early.edge.metrics().purged), (2, 2));
}

#[tokio::test]
async fn a_peer_keeps_the_mark_of_what_needs_a_ticket() {
    let keys = "1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let fields = [FRESH[0], ("clipcut-tickets-from", "0")];
    let origin = Origin::start(move |seen| match seen.header("clipcut-ticket") {
        Some(_) => reply(200, &fields, &seen.path),
        None => reply(403, &[("cache-control", "no-store"), fields[1]], "no"),
    })
    .await;
    let edges = group_with(&origin, 2, Access::Verified(Keys::read(keys).unwrap())).await;
    let expires = std::time::SystemTime::now() + Duration::from_mins(1);
    let ticket = Keys::read(keys).unwrap().mint(&Scope::video("1").unwrap(), expires).text();
    for n in 0..10 {
        let path = format!("/v/1/720p/{n}.m4s");
        let host = [("host", "videos.example")];
        assert_eq!(edges[0].ask("GET", &path, &host).await.status, 403, "{path}");
        for edge in &edges {
            let answer = edge.ask("GET", &format!("/t/{ticket}{path}"), &host).await;
            assert_eq!((answer.status, answer.text()), (200, path.as_str()));
            assert_eq!(answer.header("clipcut-tickets-from"), "");
            assert_eq!(edge.ask("GET", &path, &host).await.status, 403, "{path}");
        }
    }
}

#[tokio::test]
async fn a_captured_request_of_a_peer_opens_nothing_and_a_check_counts_once() {
    let fields = [FRESH[0], ("clipcut-tickets-from", "0")];
    let origin = Origin::start(move |seen| match seen.path.as_str() {
        "/edge/peer" => reply(404, &[], "the origin's"),
        path => reply(200, &fields, path),
    })
    .await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Stands for a peer whose requests somebody reads.
    let read = Origin::start(move |seen| match seen.path.as_str() {
        "/edge/peer" => reply(200, &[], "another"),
        path => reply(200, &fields, path),
    })
    .await;
    let names = vec![listener.local_addr().unwrap().to_string(), read.address.to_string()];
    let peers = Peers::new(names, peer_keys(), "one".to_owned()).unwrap();
    let config =
        Config { peers: Some(peers), peer_keys: Some(peer_keys()), prefetches: 0, ..Config::default() };
    let edge = Running::at(listener, Origins::new(&[origin.url()]).unwrap(), config);
    until("them to know each other", || edge.edge.metrics().peers == 2).await;
    let mut fetched = None;
    for n in 0..40 {
        edge.get(&format!("/v/1/{n}.m4s")).await;
        fetched = read.seen().into_iter().find(|seen| seen.path.starts_with("/v/"));
    }
    let fetched = fetched.expect("one of forty keys is the other's");
    let signature = fetched.header("clipcut-signature").unwrap().to_owned();
    // It was for another edge, so here it is a stranger's, who has no ticket.
    for path in [fetched.path.as_str(), "/v/1/0.m4s"] {
        let answer = edge.ask("GET", path, &[("clipcut-signature", &signature)]).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    // A check is for any edge, and counts once; then it is a request for an object like any other.
    let check = read.seen().into_iter().rfind(|seen| seen.path == "/edge/peer").unwrap();
    let signature = check.header("clipcut-signature").unwrap().to_owned();
    for counts in [true, false, false] {
        let answer = edge.ask("GET", "/edge/peer", &[("clipcut-signature", &signature)]).await;
        assert_eq!(answer.text() == "one", counts, "{answer:?}");
    }
}
