//! The promises about lost rights: tickets are void at once, and caches drop the videos, whichever process took the right away.

use std::collections::HashSet;

use store::{
    Grantee, NewVideo, Signal, Store, Timestamp, UserId, VideoId,
    accounts::{Change, Changed, Deletion, LostTickets, NewSession, NewToken, Role},
};
use tokio::sync::broadcast::Receiver;
use tokio_util::sync::CancellationToken;

use super::{accounts::signed_up, later, video};
use crate::store;

async fn owned(store: &Store, owner: &UserId) -> VideoId {
    let new = NewVideo { owner: Some(owner.clone()), ..video("v") };
    store.uploads.begin(&new, Some(5), later()).await.unwrap().id
}

async fn tickets_from(store: &Store, id: &VideoId) -> u64 {
    store.videos.rights(id).await.unwrap().unwrap().tickets_from
}

/// Receives until each of these videos was hidden.
async fn hidden(signals: &mut Receiver<Signal>, videos: &[&VideoId]) {
    let mut left: HashSet<&VideoId> = videos.iter().copied().collect();
    while !left.is_empty() {
        if let Signal::Hidden(id) = signals.recv().await.unwrap() {
            left.remove(&id);
        }
    }
}

#[tokio::test]
async fn a_deleted_accounts_tickets_are_void_of_its_own_and_of_others_videos() {
    let (store, _folder) = store().await;
    let anna = signed_up(&store, "anna@example.org", Role::Administrator).await.id;
    let bob = signed_up(&store, "bob@example.org", Role::User).await.id;
    let (own, shared, other) =
        (owned(&store, &bob).await, owned(&store, &anna).await, owned(&store, &anna).await);
    store.grants.add(&shared, Grantee::Id(&bob)).await.unwrap().unwrap();
    let mut signals = store.signals.subscribe();
    let deletion = Deletion { heir: Some(&anna), tickets: LostTickets::OfPrivate(100) };
    assert_eq!(store.delete_account(&bob, deletion).await.unwrap(), Changed::Done);
    hidden(&mut signals, &[&own, &shared]).await;
    assert_eq!((tickets_from(&store, &own).await, tickets_from(&store, &shared).await), (100, 100));
    assert_eq!(tickets_from(&store, &other).await, 0);
    assert_eq!(store.videos.rights(&own).await.unwrap().unwrap().owner, Some(anna));
}

#[tokio::test]
async fn caches_drop_what_a_process_without_signals_takes_away() {
    let (store, _folder) = store().await;
    let anna = signed_up(&store, "anna@example.org", Role::Administrator).await.id;
    let bob = signed_up(&store, "bob@example.org", Role::User).await.id;
    let shared = owned(&store, &anna).await;
    store.grants.add(&shared, Grantee::Id(&bob)).await.unwrap().unwrap();
    let mut signals = store.signals.subscribe();
    // As `clipcut user remove` does, which has the tables alone.
    let deletion = Deletion { heir: None, tickets: LostTickets::OfPrivate(100) };
    assert_eq!(store.accounts.users.delete(&bob, deletion).await.unwrap(), Changed::Done);
    let (following, stop) = (store.clone(), CancellationToken::new());
    let until = stop.clone();
    let task = tokio::spawn(async move { following.follow_revocations(until).await });
    hidden(&mut signals, &[&shared]).await;
    stop.cancel();
    task.await.unwrap();
    assert_eq!(tickets_from(&store, &shared).await, 100);
}

#[tokio::test]
async fn of_very_many_videos_at_once_caches_look_at_all_again() {
    let (store, _folder) = store().await;
    signed_up(&store, "anna@example.org", Role::Administrator).await;
    let bob = signed_up(&store, "bob@example.org", Role::User).await.id;
    for _ in 0..201 {
        owned(&store, &bob).await;
    }
    let mut signals = store.signals.subscribe();
    let deletion = Deletion { heir: None, tickets: LostTickets::OfPrivate(100) };
    store.delete_account(&bob, deletion).await.unwrap();
    while signals.recv().await.unwrap() != Signal::Missed {}
}

#[tokio::test]
async fn what_lets_a_person_in_and_ends_is_signalled_whichever_process_ends_it() {
    let (store, _folder) = store().await;
    let anna = signed_up(&store, "anna@example.org", Role::Administrator).await.id;
    let bob = signed_up(&store, "bob@example.org", Role::User).await.id;
    let (following, stop) = (store.clone(), CancellationToken::new());
    let until = stop.clone();
    let task = tokio::spawn(async move { following.follow_revocations(until).await });
    let mut signals = store.signals.subscribe();
    let session =
        |secret: &'static str| NewSession { user: &bob, secret, user_agent: "browser", expires_at: later() };
    let sessions = &store.accounts.sessions;
    let id = sessions.begin(&session("one")).await.unwrap();
    assert!(sessions.person(&id, Timestamp(0)).await.unwrap().is_some());
    assert!(!store.end_session(&anna, &id).await.unwrap(), "another's session stays");
    assert!(store.end_session(&bob, &id).await.unwrap());
    ended(&mut signals, &bob).await;
    assert!(sessions.person(&id, Timestamp(0)).await.unwrap().is_none());
    let new = NewToken { user: &bob, name: "n", secret: "token", scopes: "read", expires_at: None };
    let token = store.accounts.tokens.add(&new).await.unwrap();
    assert!(store.accounts.tokens.person(&token.id).await.unwrap().is_some());
    assert!(store.remove_token(&bob, &token.id).await.unwrap());
    ended(&mut signals, &bob).await;
    assert!(store.accounts.tokens.person(&token.id).await.unwrap().is_none());
    // As `clipcut user` does, which has the tables alone.
    let users = &store.accounts.users;
    users.set_password(&bob, "hash", None).await.unwrap();
    ended(&mut signals, &bob).await;
    let change = Change { disabled: Some(true), ..Change::default() };
    assert_eq!(users.change(&bob, change).await.unwrap(), Changed::Done);
    ended(&mut signals, &bob).await;
    assert_eq!(users.delete(&bob, Deletion::default()).await.unwrap(), Changed::Done);
    ended(&mut signals, &bob).await;
    stop.cancel();
    task.await.unwrap();
}

async fn ended(signals: &mut Receiver<Signal>, person: &UserId) {
    while signals.recv().await.unwrap() != Signal::Ended(person.clone()) {}
}
