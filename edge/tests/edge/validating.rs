//! Asking whether what is stored is still good: RFC 9111 §4.3.

use edge::Config;

use crate::harness::{Origin, Running, reply};

/// An origin with one version, fresh for a minute, that counts its 304s in a header.
async fn edge_with_version(tag: &'static str) -> (Origin, Running) {
    let mut number = 0;
    let origin = Origin::start(move |seen| {
        number += 1;
        let number = number.to_string();
        let fields = [
            ("cache-control", "max-age=60"),
            ("etag", tag),
            ("x-number", &number),
            ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ];
        match seen.header("if-none-match") {
            Some(theirs) if theirs == tag => reply(304, &fields, ""),
            _ => reply(200, &fields, "bytes"),
        }
    })
    .await;
    let edge = Running::before(&origin, Config::default()).await;
    (origin, edge)
}

#[tokio::test]
async fn a_304_makes_what_is_stored_fresh_and_brings_its_fields_rfc9111_4_3_4() {
    for tag in ["\"v1\"", "W/\"v1\""] {
        let (origin, edge) = edge_with_version(tag).await;
        edge.get("/a").await;
        edge.skip(61);
        let validated = edge.get("/a").await;
        assert_eq!((validated.status, validated.text(), validated.header("x-number")), (200, "bytes", "2"));
        assert_eq!(validated.did(), "fwd=stale; fwd-status=304; ttl=60");
        // RFC 9111 §4.3.1: both validators were sent.
        let asked = origin.seen()[1].clone();
        assert_eq!(asked.header("if-none-match"), Some(tag));
        assert_eq!(asked.header("if-modified-since"), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        let hit = edge.get("/a").await;
        assert!(hit.is_hit() && hit.header("x-number") == "2" && hit.header("age") == "0", "{hit:?}");
        assert_eq!(origin.count(), 2);
    }
}

#[tokio::test]
async fn a_new_version_takes_the_place_of_the_old_rfc9111_4_3_3() {
    let (origin, edge) = edge_with_version("\"v1\"").await;
    edge.get("/a").await;
    edge.skip(61);
    origin.play(|_| reply(200, &[("cache-control", "max-age=60"), ("etag", "\"v2\"")], "new"));
    assert_eq!(edge.get("/a").await.text(), "new");
    assert!(edge.get("/a").await.is_hit());
}

#[tokio::test]
async fn a_304_for_another_version_is_not_believed_rfc9111_4_3_4() {
    let (origin, edge) = edge_with_version("\"v1\"").await;
    edge.get("/a").await;
    edge.skip(61);
    origin.play(|seen| match seen.header("if-none-match") {
        Some(_) => reply(304, &[("etag", "\"v9\"")], ""),
        None => reply(200, &[("cache-control", "max-age=60"), ("etag", "\"v9\"")], "ninth"),
    });
    assert_eq!(edge.get("/a").await.text(), "ninth");
    assert_eq!(origin.count(), 3);
}

#[tokio::test]
async fn no_cache_is_stored_and_asked_about_every_time_rfc9111_5_2_2_4() {
    let origin = Origin::start(|seen| {
        let fields = [("cache-control", "no-cache"), ("etag", "\"v1\"")];
        if seen.header("if-none-match").is_some() {
            reply(304, &fields, "")
        } else {
            reply(200, &fields, "bytes")
        }
    })
    .await;
    let edge = Running::before(&origin, Config::default()).await;
    for _ in 0..3 {
        assert_eq!(edge.get("/a").await.text(), "bytes");
    }
    let conditional = origin.seen().iter().filter(|seen| seen.header("if-none-match").is_some()).count();
    assert_eq!((origin.count(), conditional), (3, 2));
}

#[tokio::test]
async fn a_client_with_the_current_version_gets_304_out_of_a_validation() {
    let (origin, edge) = edge_with_version("\"v1\"").await;
    edge.get("/a").await;
    edge.skip(61);
    let answer = edge.ask("GET", "/a", &[("if-none-match", "\"v1\"")]).await;
    assert_eq!((answer.status, origin.count()), (304, 2));
    edge.skip(61);
    let head = edge.ask("HEAD", "/a", &[]).await;
    assert_eq!((head.status, head.header("content-length"), origin.count()), (200, "5", 3));
}

#[tokio::test]
async fn a_head_of_another_version_invalidates_the_stored_response_rfc9111_4_3_5() {
    let (origin, edge) = edge_with_version("\"v1\"").await;
    edge.get("/a").await;
    // With this field it is the origin's to answer.
    let to_origin = [("if-unmodified-since", "Sun, 06 Nov 2094 08:49:37 GMT")];
    edge.ask("HEAD", "/a", &to_origin).await;
    assert!(edge.get("/a").await.is_hit(), "the same version stays");
    origin.play(|_| reply(200, &[("cache-control", "max-age=60"), ("etag", "\"v2\"")], "newer"));
    edge.ask("HEAD", "/a", &to_origin).await;
    assert!(!edge.get("/a").await.is_hit());
    assert_eq!(origin.count(), 4);
}

#[tokio::test]
async fn a_304_is_judged_as_any_answer_is_rfc9111_3() {
    for changed in [
        ("set-cookie", "sid=1"),
        ("cache-control", "private"),
        ("cache-control", "no-store, max-age=60"),
        ("vary", "x-language"),
        ("vary", "*"),
    ] {
        let (origin, edge) = edge_with_version("\"v1\"").await;
        edge.get("/a").await;
        edge.skip(61);
        origin.play(move |seen| match seen.header("if-none-match") {
            Some(tag) => reply(304, &[("etag", tag), ("cache-control", "max-age=60"), changed], ""),
            None => reply(200, &[("etag", "\"v1\""), ("cache-control", "max-age=60")], "without it"),
        });
        let answer = edge.get("/a").await;
        assert_eq!(
            (answer.text(), answer.header(changed.0)),
            ("without it", expected(changed)),
            "{changed:?}"
        );
        assert_eq!(origin.count(), 3, "{changed:?}");
    }
}

fn expected(changed: (&'static str, &str)) -> &'static str {
    if changed.0 == "cache-control" { "max-age=60" } else { "" }
}

#[tokio::test]
async fn a_304_with_a_tag_for_what_has_none_is_not_believed_rfc9111_4_3_4() {
    let dated = ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT");
    for other in [("etag", "\"v1\""), ("last-modified", "Sun, 06 Nov 1994 08:49:38 GMT")] {
        let origin =
            Origin::start(move |_| reply(200, &[("cache-control", "max-age=60"), dated], "old")).await;
        let edge = Running::before(&origin, Config::default()).await;
        edge.get("/a").await;
        edge.skip(61);
        origin.play(move |seen| match seen.header("if-modified-since") {
            Some(_) => reply(304, &[other], ""),
            None => reply(200, &[other], "new"),
        });
        assert_eq!(edge.get("/a").await.text(), "new", "{other:?}");
    }
}
