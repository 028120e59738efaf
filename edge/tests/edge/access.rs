//! The right to play: tickets are verified on every request, and go no further.

use std::time::{Duration, SystemTime};

use edge::{Access, Config};
use server::{
    Response,
    ticket::{Keys, Scope},
};

use crate::harness::{Origin, Running, Seen, numbered, reply};

const FRESH: &[(&str, &str)] = &[("cache-control", "max-age=60")];
const OLD: &str = "1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const NEW: &str = "2 BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=";

fn ticket(keys: &str, video: &str, seconds: u64) -> String {
    let expires = SystemTime::now() + Duration::from_secs(seconds);
    Keys::read(keys).unwrap().mint(&Scope::video(video).unwrap(), expires).text()
}

async fn edge_with(access: Access) -> (Origin, Running) {
    let origin = numbered(FRESH).await;
    let edge = Running::before(&origin, Config { access, ..Config::default() }).await;
    (origin, edge)
}

#[tokio::test]
async fn tickets_open_one_object_for_all_and_stand_in_no_path_at_the_origin() {
    let (origin, edge) = edge_with(Access::Required(Keys::read(OLD).unwrap())).await;
    for seconds in [60, 120] {
        let answer = edge.get(&format!("/t/{}/v/1/720p/init.mp4", ticket(OLD, "1", seconds))).await;
        assert_eq!((answer.status, answer.text()), (200, "answer 1"));
    }
    let paths: Vec<String> = origin.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/v/1/720p/init.mp4"]);
}

#[tokio::test]
async fn a_refused_ticket_is_a_403_with_its_reason_even_when_the_object_is_in_memory() {
    let (origin, edge) = edge_with(Access::Required(Keys::read(OLD).unwrap())).await;
    let good = ticket(OLD, "1", 60);
    assert_eq!(edge.get(&format!("/t/{good}/v/1/a")).await.status, 200);
    let mut forged = good.clone();
    forged.replace_range(20..21, if &good[20..21] == "A" { "B" } else { "A" });
    for (path, code) in [
        (format!("/t/{good}/v/10/a"), "ticket_wrong_video"),
        (format!("/t/{good}/v/1/../10/a"), "ticket_wrong_video"),
        (format!("/t/{good}/v/1/%2e%2e/10/a"), "ticket_wrong_video"),
        (format!("/t/{forged}/v/1/a"), "ticket_bad_signature"),
        (format!("/t/{}/v/1/a", ticket(NEW, "1", 60)), "ticket_bad_signature"),
        ("/t/nonsense/v/1/a".to_owned(), "ticket_bad_signature"),
        ("/v/1/a".to_owned(), "ticket_bad_signature"),
        ("/x/../v/1/a".to_owned(), "ticket_bad_signature"),
    ] {
        let answer = edge.get(&path).await;
        assert_eq!((answer.status, answer.problem().as_str()), (403, code), "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
    }
    edge.skip(60);
    let answer = edge.get(&format!("/t/{good}/v/1/a")).await;
    assert_eq!((answer.status, answer.problem().as_str()), (403, "ticket_expired"));
    assert_eq!(origin.count(), 1);
}

#[tokio::test]
async fn old_keys_verify_until_they_are_taken_out() {
    let (_origin, edge) = edge_with(Access::Required(Keys::read(&format!("{NEW}\n{OLD}")).unwrap())).await;
    for keys in [OLD, NEW] {
        assert_eq!(edge.get(&format!("/t/{}/v/1/a", ticket(keys, "1", 60))).await.status, 200);
    }
}

#[tokio::test]
async fn where_tickets_are_optional_a_bad_one_is_still_refused() {
    let (_origin, edge) = edge_with(Access::Verified(Keys::read(OLD).unwrap())).await;
    assert_eq!(edge.get("/v/1/a").await.status, 200);
    assert_eq!(edge.get("/t/nonsense/v/1/a").await.status, 403);
    let (_origin, open) = edge_with(Access::Open).await;
    assert_eq!(open.get("/v/1/a").await.status, 200);
    assert_eq!(open.get(&format!("/t/{}/v/1/a", ticket(OLD, "1", 60))).await.status, 403);
}

/// The origin's answer for a video that needs a ticket which ends at `from` or later, as long as the request shows one.
fn marked(seen: &Seen, from: u64) -> Response {
    let fields = [
        ("cache-control", "public, max-age=31536000, immutable"),
        ("clipcut-tickets-from", &from.to_string()),
    ];
    match seen.header("clipcut-ticket") {
        Some(_) => reply(200, &fields, &seen.path),
        None => reply(403, &[("cache-control", "no-store"), fields[1]], "no"),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

async fn optional(script: impl FnMut(Seen) -> Response + Send + 'static) -> (Origin, Running) {
    let origin = Origin::start(script).await;
    let access = Access::Verified(Keys::read(OLD).unwrap());
    let edge = Running::before(&origin, Config { access, prefetches: 0, ..Config::default() }).await;
    (origin, edge)
}

#[tokio::test]
async fn what_the_origin_marks_needs_a_ticket_on_hits_too_and_the_mark_stays_here() {
    let (origin, edge) = optional(|seen| marked(&seen, 0)).await;
    let path = "/v/1/720p/3.m4s";
    // A stranger first: the refusal is nobody else's.
    assert_eq!(edge.get(path).await.status, 403);
    let with = |video: &str, seconds: u64| format!("/t/{}{path}", ticket(OLD, video, seconds));
    for seconds in [60, 120] {
        let answer = edge.get(&with("1", seconds)).await;
        assert_eq!((answer.status, answer.text()), (200, path));
        assert_eq!((answer.header("clipcut-tickets-from"), answer.header("clipcut-ticket")), ("", ""));
    }
    assert_eq!(origin.count(), 2);
    for (path, code) in [
        (path.to_owned(), "ticket_bad_signature"),
        (with("2", 60), "ticket_wrong_video"),
        (with("1", 0), "ticket_expired"),
        (format!("/x/..{path}"), "ticket_bad_signature"),
    ] {
        let answer = edge.get(&path).await;
        assert_eq!((answer.status, answer.problem().as_str()), (403, code), "{path}");
    }
    let forged = [("clipcut-ticket", ticket(OLD, "2", 60))];
    let forged = forged.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(edge.ask("GET", path, &forged).await.status, 403);
    // Another edge in front shows it so, and keeps the mark.
    let shown = ticket(OLD, "1", 60);
    let answer = edge.ask("GET", path, &[("clipcut-ticket", shown.as_str())]).await;
    assert_eq!((answer.status, answer.header("clipcut-tickets-from")), (200, "0"));
    let range = [("range", "bytes=0-1")];
    assert_eq!(edge.ask("GET", path, &range).await.status, 403);
    assert_eq!(edge.ask("HEAD", path, &[]).await.status, 403);
    assert_eq!(origin.count(), 2);
}

#[tokio::test]
async fn tickets_that_the_mark_voids_open_nothing_and_later_ones_do() {
    let from = now() + 100;
    let (origin, edge) = optional(move |seen| marked(&seen, from)).await;
    let path = "/v/1/720p/3.m4s";
    let with = |seconds: u64| format!("/t/{}{path}", ticket(OLD, "1", seconds));
    assert_eq!(edge.get(&with(200)).await.status, 200);
    let void = edge.get(&with(50)).await;
    assert_eq!((void.status, void.problem().as_str()), (403, "ticket_expired"));
    assert_eq!(origin.count(), 1);
}

#[tokio::test]
async fn a_purge_of_what_is_hidden_takes_the_unmarked_segments_too() {
    let (origin, edge) =
        optional(|seen| reply(200, &[("cache-control", "public, max-age=31536000, immutable")], &seen.path))
            .await;
    let path = "/v/1/720p/3.m4s";
    assert_eq!(edge.get(path).await.status, 200);
    origin.play(|seen| marked(&seen, 0));
    edge.edge.purge(edge::Purge { gone: ["1".to_owned()].into(), ..edge::Purge::default() }).await;
    assert_eq!(edge.get(path).await.status, 403);
    assert_eq!(edge.get(&format!("/t/{}{path}", ticket(OLD, "1", 60))).await.status, 200);
    assert_eq!(edge.get(path).await.status, 403);
}

#[tokio::test]
async fn an_edge_without_keys_gives_nothing_that_is_marked() {
    let origin = Origin::start(|_| {
        reply(200, &[("cache-control", "max-age=60"), ("clipcut-tickets-from", "0")], "all")
    })
    .await;
    let edge = Running::before(&origin, Config::default()).await;
    for _ in 0..2 {
        assert_eq!(edge.get("/v/1/a").await.status, 403);
    }
}
