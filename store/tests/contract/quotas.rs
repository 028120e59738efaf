//! The promises about quotas: what a person's videos take, and may take.

use store::{
    Exceeded, NewPlan, NewVideo, Quota, Store, UserId, VideoId,
    accounts::{Change, NewLimit, Role},
};

use super::{JobKind, LEASE, accounts::signed_up, later, rendition, video};
use crate::store;

async fn begun(store: &Store, owner: &UserId, length: Option<u64>) -> VideoId {
    let new = NewVideo { owner: Some(owner.clone()), ..video("v") };
    store.uploads.begin(&new, length, later()).await.unwrap().id
}

async fn bytes(store: &Store, owner: &UserId) -> u64 {
    store.quotas.balance(owner, Quota::default()).await.unwrap().usage.bytes
}

#[tokio::test]
async fn videos_count_from_the_beginning_of_their_upload_to_their_deletion() {
    let (store, _folder) = store().await;
    let anna = signed_up(&store, "anna@example.org", Role::User).await.id;
    let bob = signed_up(&store, "bob@example.org", Role::User).await.id;
    let sized = begun(&store, &anna, Some(5)).await;
    assert_eq!((bytes(&store, &anna).await, bytes(&store, &bob).await), (5, 0));
    let open = begun(&store, &anna, None).await;
    assert_eq!(bytes(&store, &anna).await, 5);
    store.quotas.count_upload(&open, 300).await.unwrap();
    assert_eq!(bytes(&store, &anna).await, 305);
    for (id, text) in [(&sized, "bytes"), (&open, "as many as came")] {
        let mut append = store.uploads.append(id, false).await.unwrap().unwrap();
        append.write(text.as_bytes()).await.unwrap();
        store.uploads.finish(append).await.unwrap();
    }
    assert_eq!(bytes(&store, &anna).await, 20);
    let prepare = store.jobs.claim(&[JobKind::Prepare], "planner", LEASE).await.unwrap().unwrap();
    let plan = NewPlan {
        json: "{}",
        duration_seconds: 90.0,
        renditions: &[rendition("720p", 2)],
        jobs: &[],
        captions: &[],
        listen: false,
        notes: &[],
    };
    store.renditions.plan(&prepare.video, &plan).await.unwrap();
    let usage = store.quotas.balance(&anna, Quota::default()).await.unwrap().usage;
    assert!((usage.minutes - 1.5).abs() < 1e-9, "{usage:?}");
    assert!(store.delete(&sized).await.unwrap() && store.delete(&open).await.unwrap());
    assert_eq!(store.quotas.balance(&anna, Quota::default()).await.unwrap().usage, store::Usage::default());
}

#[tokio::test]
async fn an_accounts_own_limit_counts_before_that_of_everybody() {
    let (store, _folder) = store().await;
    let anna = signed_up(&store, "anna@example.org", Role::User).await.id;
    begun(&store, &anna, Some(60)).await;
    let everybody = Quota { bytes: Some(100), minutes: None };
    let admits = async |more: u64| store.quotas.balance(&anna, everybody).await.unwrap().admits(more);
    assert_eq!((admits(40).await, admits(41).await), (Ok(()), Err(Exceeded::Bytes)));
    assert_eq!(admits(u64::MAX).await, Err(Exceeded::Bytes));
    let set = async |quota_bytes, quota_minutes| {
        let change = Change { quota_bytes, quota_minutes, ..Change::default() };
        store.accounts.users.change(&anna, change).await.unwrap();
    };
    set(NewLimit::Own(61), NewLimit::Keep).await;
    assert_eq!((admits(1).await, admits(2).await), (Ok(()), Err(Exceeded::Bytes)));
    // No minutes at all: nothing is taken, however small.
    set(NewLimit::Own(u64::MAX), NewLimit::Own(0)).await;
    assert_eq!(admits(0).await, Err(Exceeded::Minutes));
    set(NewLimit::OfEverybody, NewLimit::OfEverybody).await;
    assert_eq!((admits(40).await, admits(41).await), (Ok(()), Err(Exceeded::Bytes)));
    let quota = store.accounts.users.get(&anna).await.unwrap().unwrap().quota;
    assert_eq!(quota, Quota::default());
}
