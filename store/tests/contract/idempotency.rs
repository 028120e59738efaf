//! The promises about idempotency keys: one request at a time has a key, and its answer stays for those that come again.

use store::accounts::{Begun, Repeatable, Role};

use super::accounts::signed_up;
use crate::store;

#[tokio::test]
async fn of_many_requests_at_once_with_a_key_one_runs() {
    let (store, _folder) = store().await;
    let user = signed_up(&store, "anna@example.org", Role::User).await.id;
    let request =
        Repeatable { user, endpoint: "POST /x".into(), key: "key".into(), fingerprint: "print".into() };
    let keys = &store.accounts.idempotency;
    let begun = futures::future::join_all((0..8).map(|_| keys.begin(&request))).await;
    let begun: Vec<Begun> = begun.into_iter().map(Result::unwrap).collect();
    assert_eq!(begun.iter().filter(|one| **one == Begun::First).count(), 1, "{begun:?}");
    assert_eq!(begun.iter().filter(|one| **one == Begun::Running).count(), 7, "{begun:?}");
    keys.hold(&request).await.unwrap();
    keys.release(&request).await.unwrap();
    assert_eq!(keys.begin(&request).await.unwrap(), Begun::First);
}

#[tokio::test]
async fn an_answer_stays_for_its_request_and_for_no_other() {
    let (store, _folder) = store().await;
    let anna = signed_up(&store, "anna@example.org", Role::User).await.id;
    let bob = signed_up(&store, "bob@example.org", Role::User).await.id;
    let keys = &store.accounts.idempotency;
    let request =
        Repeatable { user: anna, endpoint: "POST /x".into(), key: "key".into(), fingerprint: "print".into() };
    assert_eq!(keys.begin(&request).await.unwrap(), Begun::First);
    keys.keep(&request, "answer").await.unwrap();
    // A late release frees nothing.
    keys.release(&request).await.unwrap();
    keys.sweep().await.unwrap();
    assert_eq!(keys.begin(&request).await.unwrap(), Begun::Answered("answer".into()));
    let other = Repeatable { fingerprint: "other".into(), ..request.clone() };
    assert_eq!(keys.begin(&other).await.unwrap(), Begun::Another);
    for free in [
        Repeatable { user: bob, ..request.clone() },
        Repeatable { endpoint: "POST /y".into(), ..request.clone() },
        Repeatable { key: "another".into(), ..request.clone() },
    ] {
        assert_eq!(keys.begin(&free).await.unwrap(), Begun::First, "{free:?}");
    }
}

#[tokio::test]
async fn the_oldest_keys_of_a_person_are_forgotten_beyond_a_thousand() {
    let (store, _folder) = store().await;
    let user = signed_up(&store, "anna@example.org", Role::User).await.id;
    let keys = &store.accounts.idempotency;
    let request = |n: u32| Repeatable {
        user: user.clone(),
        endpoint: "POST /x".into(),
        key: format!("key {n}"),
        fingerprint: "print".into(),
    };
    for n in 0..1001 {
        keys.begin(&request(n)).await.unwrap();
        keys.keep(&request(n), "answer").await.unwrap();
    }
    assert_eq!(keys.begin(&request(1000)).await.unwrap(), Begun::Answered("answer".into()));
    assert_eq!(keys.begin(&request(0)).await.unwrap(), Begun::First);
}
