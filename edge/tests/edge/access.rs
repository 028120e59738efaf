//! The right to play: tickets are verified on every request, and go no further.

use std::time::{Duration, SystemTime};

use edge::{Access, Config};
use server::ticket::{Keys, Scope};

use crate::harness::{Origin, Running, numbered};

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
async fn tickets_open_one_object_for_all_and_the_origin_never_sees_them() {
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
