//! Responses stored and used again: RFC 9111 §3 and §4.

use edge::{Config, Origins};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Origin, Running, edge_before_numbered, reply};

async fn check(fields: &'static [(&'static str, &'static str)], stored: bool) {
    let (origin, edge) = edge_before_numbered(fields).await;
    assert_eq!(edge.get("/a").await.text(), "answer 1", "{fields:?}");
    let second = edge.get("/a").await;
    let (text, hit, fetches) = if stored { ("answer 1", true, 1) } else { ("answer 2", false, 2) };
    assert_eq!(
        (second.text(), second.is_hit(), origin.count()),
        (text, hit, fetches),
        "{fields:?} {second:?}"
    );
}

#[tokio::test]
async fn a_response_with_a_lifetime_is_fetched_once_rfc9111_4_2_1() {
    check(&[("cache-control", "max-age=60")], true).await;
    check(&[("cache-control", "s-maxage=60, max-age=0")], true).await;
    check(&[("cache-control", "s-maxage=0, max-age=60")], false).await;
    check(&[("expires", "Fri, 01 Jan 2100 00:00:00 GMT")], true).await;
    check(&[("expires", "0")], false).await;
    check(&[("cache-control", "max-age=60"), ("expires", "0")], true).await;
}

#[tokio::test]
async fn no_store_and_private_are_never_stored_rfc9111_5_2_2() {
    check(&[("cache-control", "no-store")], false).await;
    check(&[("cache-control", "no-store, max-age=60")], false).await;
    check(&[("cache-control", "private, max-age=60")], false).await;
    check(&[("cache-control", "max-age=60"), ("set-cookie", "a=b")], false).await;
}

#[tokio::test]
async fn cdn_cache_control_wins_over_cache_control_rfc9213_2_2() {
    check(&[("cache-control", "no-store"), ("cdn-cache-control", "max-age=60")], true).await;
    check(&[("cache-control", "max-age=60"), ("cdn-cache-control", "no-store")], false).await;
    check(&[("cache-control", "max-age=60"), ("cdn-cache-control", "no store!")], true).await;
}

#[tokio::test]
async fn surrogate_control_wins_over_cache_control_rfc9213_2_1() {
    check(&[("cache-control", "no-store"), ("surrogate-control", "max-age=60")], true).await;
    check(&[("cache-control", "max-age=60"), ("surrogate-control", "no-store")], false).await;
    check(&[("expires", "0"), ("surrogate-control", "max-age=60")], true).await;
    check(&[("cache-control", "max-age=60"), ("surrogate-control", "max-age=0")], false).await;
    check(&[("cache-control", "max-age=60"), ("surrogate-control", "no-store;another")], true).await;
    check(&[("cache-control", "max-age=60"), ("surrogate-control", "content=\"ESI/1.0\"")], true).await;
    check(&[("cdn-cache-control", "no-store"), ("surrogate-control", "max-age=60")], false).await;
}

#[tokio::test]
async fn an_answer_is_fresh_up_to_its_lifetime_and_no_longer_rfc9111_4_2() {
    let (origin, edge) = edge_before_numbered(&[("cache-control", "max-age=60")]).await;
    edge.get("/a").await;
    edge.skip(58);
    let old = edge.get("/a").await;
    assert!(old.is_hit() && ["58", "59"].contains(&old.header("age")), "{old:?}");
    edge.skip(2);
    assert_eq!(edge.get("/a").await.text(), "answer 2");
    assert_eq!(origin.count(), 2);
}

#[tokio::test]
async fn the_age_of_caches_on_the_way_counts_rfc9111_4_2_3() {
    let (origin, edge) = edge_before_numbered(&[("cache-control", "max-age=60"), ("age", "50")]).await;
    assert_eq!(edge.get("/a").await.header("age"), "50");
    let hit = edge.get("/a").await;
    assert!(hit.is_hit() && hit.header("age") == "50" && !hit.header("date").is_empty(), "{hit:?}");
    edge.skip(11);
    edge.get("/a").await;
    assert_eq!(origin.count(), 2);
}

#[tokio::test]
async fn a_hit_is_the_answer_itself_with_its_age_and_what_the_cache_did_rfc9211_2() {
    let origin = Origin::start(|_| {
        reply(
            200,
            &[("cache-control", "max-age=60"), ("content-type", "video/mp4"), ("x-of-the-origin", "1")],
            "bytes",
        )
    })
    .await;
    let edge = Running::before(&origin, Config::default()).await;
    let miss = edge.get("/a").await;
    assert_eq!(miss.did(), "fwd=uri-miss; fwd-status=200; ttl=60; stored");
    assert_eq!(miss.header("age"), "");
    let hit = edge.get("/a").await;
    assert_eq!(hit.did(), "hit; ttl=60");
    for name in ["content-type", "x-of-the-origin", "content-length", "date", "cache-control"] {
        assert_eq!(hit.header(name), miss.header(name), "{name}");
    }
    assert_eq!((hit.header("age"), hit.text()), ("0", "bytes"));
}

#[tokio::test]
async fn an_answer_without_a_date_gets_one_rfc9110_6_6_1() {
    // hyper's server dates every answer, so this one comes through a socket by hand.
    let (edge, _origin) =
        by_hand("HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 1\r\n\r\nx").await;
    assert!(!edge.get("/a").await.header("date").is_empty());
    let hit = edge.get("/a").await;
    assert!(hit.is_hit() && httpdate::parse_http_date(hit.header("date")).is_ok(), "{hit:?}");
}

#[tokio::test]
async fn answers_before_the_final_one_are_passed_over_rfc9110_15_2() {
    let early = "HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n";
    let last = "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 4\r\n\r\nlast";
    let (edge, _origin) = by_hand(&format!("{early}{last}")).await;
    assert_eq!((edge.get("/a").await.text(), edge.get("/a").await.is_hit()), ("last", true));
}

#[tokio::test]
async fn fields_of_the_connection_go_no_further_rfc9110_7_6_1() {
    let text = "HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\nconnection: x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=9\r\n\
                proxy-authenticate: Basic\r\nx-end: 1\r\ncontent-length: 1\r\n\r\nx";
    let (edge, _origin) = by_hand(text).await;
    for answer in [edge.get("/a").await, edge.get("/a").await] {
        for name in ["connection", "x-hop", "keep-alive", "proxy-authenticate"] {
            assert_eq!(answer.header(name), "", "{name}");
        }
        assert_eq!(answer.header("x-end"), "1");
    }
}

#[tokio::test]
async fn answers_to_authorized_requests_are_shared_only_when_allowed_rfc9111_3_5() {
    for (control, shared) in [
        ("max-age=60", false),
        ("max-age=60, public", true),
        ("s-maxage=60", true),
        ("max-age=60, must-revalidate", true),
    ] {
        let mut number = 0;
        let origin = Origin::start(move |seen| {
            number += 1;
            let who = seen.header("authorization").unwrap_or("nobody").to_owned();
            reply(200, &[("cache-control", control)], &format!("{number} for {who}"))
        })
        .await;
        let edge = Running::before(&origin, Config::default()).await;
        let first = edge.ask("GET", "/a", &[("authorization", "Basic YQ==")]).await;
        assert_eq!(first.text(), "1 for Basic YQ==");
        let second = edge.get("/a").await;
        assert_eq!(second.text() == first.text(), shared, "{control}: {second:?}");
    }
}

#[tokio::test]
async fn a_response_without_directives_is_stored_by_its_status_rfc9110_15_1() {
    for (status, kept) in
        [(200, true), (404, true), (410, true), (301, true), (302, false), (403, false), (503, false)]
    {
        let mut number = 0;
        let origin = Origin::start(move |_| {
            number += 1;
            reply(status, &[("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")], &number.to_string())
        })
        .await;
        let edge = Running::before(&origin, Config::default()).await;
        let (first, second) = (edge.get("/a").await, edge.get("/a").await);
        assert_eq!((first.status, second.status), (status, status));
        assert_eq!(first.text() == second.text(), kept, "{status}");
    }
}

#[tokio::test]
async fn errors_are_kept_briefly_and_never_past_retry_after() {
    let origin = Origin::start(|seen| match seen.path.as_str() {
        "/missing" => reply(404, &[], "missing"),
        _ => reply(
            503,
            &[("cdn-cache-control", "max-age=60"), ("cache-control", "no-store"), ("retry-after", "3")],
            "wait",
        ),
    })
    .await;
    let edge = Running::before(&origin, Config::default()).await;
    for (path, seconds) in [("/missing", 1), ("/coming", 3)] {
        let before = origin.count();
        edge.get(path).await;
        assert!(edge.get(path).await.is_hit(), "{path}");
        edge.skip(seconds);
        assert!(!edge.get(path).await.is_hit(), "{path}");
        assert_eq!(origin.count(), before + 2, "{path}");
    }
}

/// An origin that writes `answer` to each request as it stands.
async fn by_hand(answer: &str) -> (Running, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let answer = answer.to_owned();
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let mut asked = vec![0; 65536];
                while stream.read(&mut asked).await.is_ok_and(|read| read > 0) {
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    (Running::of(Origins::new(&[url]).unwrap(), Config::default()).await, serving)
}
