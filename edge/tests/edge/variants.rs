//! Answers that depend on request headers: RFC 9111 §4.1.

use edge::Config;

use crate::harness::{Origin, Running, edge_before_numbered, reply};

async fn edge_with_languages() -> (Origin, Running) {
    let origin = Origin::start(|seen| {
        let language = seen.header("accept-language").unwrap_or("none").to_owned();
        reply(200, &[("cache-control", "max-age=60"), ("vary", "Accept-Language")], &language)
    })
    .await;
    let edge = Running::before(&origin, Config::default()).await;
    (origin, edge)
}

#[tokio::test]
async fn variants_are_kept_side_by_side_rfc9111_4_1() {
    let (origin, edge) = edge_with_languages().await;
    let get = async |language: &'static str| edge.ask("GET", "/a", &[("accept-language", language)]).await;
    for language in ["de", "fr", "en"] {
        assert_eq!(get(language).await.text(), language);
    }
    let before = origin.count();
    for language in ["de", "fr", "en"] {
        let answer = get(language).await;
        assert_eq!((answer.text(), answer.is_hit()), (language, true));
    }
    assert_eq!(edge.get("/a").await.text(), "none");
    assert_eq!(origin.count(), before);
}

#[tokio::test]
async fn vary_star_is_never_stored_rfc9111_4_1() {
    let (origin, edge) = edge_before_numbered(&[("cache-control", "max-age=60"), ("vary", "*")]).await;
    assert_eq!(edge.get("/a").await.text(), "answer 1");
    assert_eq!(edge.get("/a").await.text(), "answer 2");
    // A first answer is made without the language, and may depend on it.
    assert_eq!(edge.ask("GET", "/b", &[("accept-language", "de")]).await.text(), "answer 4");
    assert_eq!(origin.count(), 4);
}

#[tokio::test]
async fn codings_are_variants_and_spellings_of_one_wish_are_not() {
    let origin = Origin::start(|seen| {
        let fields = [("cache-control", "max-age=60"), ("vary", "accept-encoding")];
        match seen.header("accept-encoding") {
            Some("gzip") => reply(200, &[fields[0], fields[1], ("content-encoding", "gzip")], "packed"),
            _ => reply(200, &fields, "plain"),
        }
    })
    .await;
    let edge = Running::before(&origin, Config::default()).await;
    for wish in ["gzip", "gzip, deflate, br", "br;q=1, gzip;q=0.5, zstd"] {
        let answer = edge.ask("GET", "/a", &[("accept-encoding", wish)]).await;
        assert_eq!((answer.text(), answer.header("content-encoding")), ("packed", "gzip"), "{wish}");
    }
    for wish in ["identity", "br", "gzip;q=0"] {
        assert_eq!(edge.ask("GET", "/a", &[("accept-encoding", wish)]).await.text(), "plain", "{wish}");
    }
    assert_eq!(origin.count(), 2);
}

#[tokio::test]
async fn the_oldest_of_too_many_variants_goes() {
    let (origin, edge) = edge_with_languages().await;
    let languages: Vec<String> = (0..9).map(|n| format!("l{n}")).collect();
    let get = async |language: &str| edge.ask("GET", "/a", &[("accept-language", language)]).await;
    for language in &languages {
        assert_eq!(get(language).await.text(), language);
    }
    let before = origin.count();
    for language in &languages[1..] {
        assert!(get(language).await.is_hit(), "{language}");
    }
    assert!(!get(&languages[0]).await.is_hit());
    assert_eq!(origin.count(), before + 1);
}
