//! The promises about webhooks: what is to be sent is written with what happened, claimed by one process at a time, and kept
//! as a log.

use std::time::Duration;

use store::{
    Failure, JobKind, NewVideo, Segment, Store, UserId, VideoId,
    accounts::{Change, Deletion, Role},
    webhooks::{About, Attempted, DeliveryState, Event, Logged, NewWebhook, Webhook, WebhookEdit},
};

use super::{LEASE, accounts::signed_up, later, planned, video};
use crate::store;

const AT_ONCE: Duration = Duration::ZERO;

async fn webhook(store: &Store, user: &UserId, about: About, events: &[Event]) -> Webhook {
    let new = NewWebhook { user, url: "https://example.org/", events, about, secret: "whsec_c2VjcmV0" };
    store.webhooks.add(&new).await.unwrap()
}

async fn uploaded_by(store: &Store, owner: &UserId) -> VideoId {
    let new = NewVideo { owner: Some(owner.clone()), ..video("Title") };
    let upload = store.uploads.begin(&new, Some(5), later()).await.unwrap();
    let mut append = store.uploads.append(&upload.id, false).await.unwrap().unwrap();
    append.write(b"bytes").await.unwrap();
    store.uploads.finish(append).await.unwrap();
    upload.id
}

async fn log(store: &Store, user: &UserId, webhook: &Webhook) -> Vec<Logged> {
    store.webhooks.log(user, &webhook.id).await.unwrap().unwrap()
}

/// Returns the events of a webhook's log, oldest first.
async fn events(store: &Store, user: &UserId, webhook: &Webhook) -> Vec<Event> {
    log(store, user, webhook).await.iter().rev().map(|logged| logged.delivery.event).collect()
}

#[tokio::test]
async fn every_event_of_a_videos_life_is_noted_once_for_those_whom_it_concerns() {
    let (store, _folder) = store().await;
    let administrator = signed_up(&store, "admin", Role::Administrator).await.id;
    let owner = signed_up(&store, "owner", Role::User).await.id;
    let other = signed_up(&store, "other", Role::User).await.id;
    let all = webhook(&store, &administrator, About::All, &Event::ALL).await;
    let own = webhook(&store, &owner, About::Own, &[Event::Ready, Event::Deleted]).await;
    let others = webhook(&store, &other, About::Own, &Event::ALL).await;
    // Somebody who is no administrator hears of their own alone, whatever the row says.
    let greedy = webhook(&store, &other, About::All, &Event::ALL).await;

    let id = uploaded_by(&store, &owner).await;
    planned(&store, &id, &[]).await;
    store.renditions.publish(&id, "720p", &Segment { number: 0, facts: "{}".into() }).await.unwrap();
    for _ in 0..2 {
        store.videos.mark_playable(&id).await.unwrap();
        store.videos.mark_ready(&id).await.unwrap();
    }
    store.delete(&id).await.unwrap();
    assert!(!store.delete(&id).await.unwrap());
    let expected = [Event::Uploaded, Event::Playable, Event::Ready, Event::Deleted];
    assert_eq!(events(&store, &administrator, &all).await, expected);
    assert_eq!(events(&store, &owner, &own).await, [Event::Ready, Event::Deleted]);
    assert_eq!(events(&store, &other, &others).await, []);
    assert_eq!(events(&store, &other, &greedy).await, []);
    // The rows outlive their video, and each webhook's delivery has an id of its own.
    let ids: Vec<String> = [log(&store, &administrator, &all).await, log(&store, &owner, &own).await]
        .concat()
        .into_iter()
        .map(|one| one.delivery.id)
        .collect();
    assert_eq!(ids.iter().collect::<std::collections::BTreeSet<_>>().len(), 6, "{ids:?}");
}

#[tokio::test]
async fn a_failure_is_noted_with_its_reason_and_an_abandoned_upload_not_at_all() {
    let (store, _folder) = store().await;
    let owner = signed_up(&store, "owner", Role::Administrator).await.id;
    let hook = webhook(&store, &owner, About::Own, &Event::ALL).await;
    let new = NewVideo { owner: Some(owner.clone()), ..video("abandoned") };
    let abandoned = store.uploads.begin(&new, Some(5), later()).await.unwrap().id;
    store.delete(&abandoned).await.unwrap();
    uploaded_by(&store, &owner).await;
    let job = store.jobs.claim(&[JobKind::Prepare], "w", LEASE).await.unwrap().unwrap();
    let failure = Failure { code: "not_media".into(), message: "It is no video.".into() };
    store.videos.fail(&job, &failure).await.unwrap();
    store.videos.fail(&job, &failure).await.unwrap();
    assert_eq!(events(&store, &owner, &hook).await, [Event::Uploaded, Event::Failed]);
    let failed = log(&store, &owner, &hook).await.remove(0).delivery;
    assert_eq!(failed.failure, Some(("not_media".into(), "It is no video.".into())));
    assert_eq!((failed.title.as_str(), failed.video.as_str()), ("Title", job.video.as_str()));
}

#[tokio::test]
async fn a_delivery_has_one_sender_at_a_time_until_its_lease_ends() {
    let (store, _folder) = store().await;
    let owner = signed_up(&store, "owner", Role::Administrator).await.id;
    let hook = webhook(&store, &owner, About::Own, &[Event::Uploaded]).await;
    uploaded_by(&store, &owner).await;
    uploaded_by(&store, &owner).await;
    let first = store.webhooks.claim("a", LEASE).await.unwrap().unwrap();
    assert_eq!(first.target.as_ref().unwrap().url, "https://example.org/");
    // The other one of the same webhook waits for its turn.
    assert!(store.webhooks.claim("b", LEASE).await.unwrap().is_none());
    let refused = Attempted { status: Some(500), problem: Some("no"), again_in: Some(AT_ONCE), gone: false };
    store.webhooks.conclude(&first, refused).await.unwrap();
    let second = store.webhooks.claim("b", AT_ONCE).await.unwrap().unwrap();
    assert_ne!(second.delivery.id, first.delivery.id);
    // The sender died: another one takes over, and the first one's outcome counts no more.
    let taken = loop {
        if let Some(due) = store.webhooks.claim("c", LEASE).await.unwrap() {
            break due;
        }
    };
    store.webhooks.conclude(&second, Attempted::default()).await.unwrap();
    store.webhooks.conclude(&taken, Attempted { status: Some(204), ..Attempted::default() }).await.unwrap();
    let left = store.webhooks.claim("c", LEASE).await.unwrap().unwrap();
    let states: Vec<_> =
        log(&store, &owner, &hook).await.into_iter().map(|one| (one.state, one.status)).collect();
    assert!(states.contains(&(DeliveryState::Delivered, Some(204))), "{states:?}");
    assert_eq!((left.delivery.id, left.delivery.attempts), (first.delivery.id, 2));
}

#[tokio::test]
async fn a_target_that_is_gone_is_switched_off_and_a_person_sends_again() {
    let (store, _folder) = store().await;
    let owner = signed_up(&store, "owner", Role::Administrator).await.id;
    let other = signed_up(&store, "other", Role::User).await.id;
    let hook = webhook(&store, &owner, About::Own, &[Event::Uploaded]).await;
    uploaded_by(&store, &owner).await;
    let due = store.webhooks.claim("a", LEASE).await.unwrap().unwrap();
    let gone = Attempted { status: Some(410), problem: Some("gone"), again_in: None, gone: true };
    store.webhooks.conclude(&due, gone).await.unwrap();
    assert!(!store.webhooks.of(&owner).await.unwrap()[0].active);
    uploaded_by(&store, &owner).await;
    let logged = log(&store, &owner, &hook).await;
    assert_eq!((logged.len(), logged[0].state, logged[0].next_at), (1, DeliveryState::Failed, None));

    let on = WebhookEdit { active: Some(true), events: Some(vec![Event::Failed]), ..WebhookEdit::default() };
    assert!(store.webhooks.edit(&other, &hook.id, &on).await.unwrap().is_none());
    let edited = store.webhooks.edit(&owner, &hook.id, &on).await.unwrap().unwrap();
    assert_eq!((edited.active, edited.events.as_slice()), (true, &[Event::Failed][..]));
    assert!(!store.webhooks.send_again(&other, &hook.id, &due.delivery.id).await.unwrap());
    assert!(store.webhooks.send_again(&owner, &hook.id, &due.delivery.id).await.unwrap());
    let again = store.webhooks.claim("a", LEASE).await.unwrap().unwrap();
    assert_eq!((again.delivery.id, again.delivery.attempts), (due.delivery.id, 1));
}

#[tokio::test]
async fn a_disabled_persons_webhooks_send_nothing_and_a_deleted_ones_are_gone() {
    let (store, _folder) = store().await;
    signed_up(&store, "admin", Role::Administrator).await;
    let owner = signed_up(&store, "owner", Role::User).await.id;
    let hook = webhook(&store, &owner, About::Own, &Event::ALL).await;
    let id = uploaded_by(&store, &owner).await;
    let disabled = Change { disabled: Some(true), ..Change::default() };
    store.accounts.users.change(&owner, disabled).await.unwrap();
    store.delete(&id).await.unwrap();
    let due = store.webhooks.claim("a", LEASE).await.unwrap().unwrap();
    assert!(due.target.is_none(), "{due:?}");
    assert_eq!(events(&store, &owner, &hook).await, [Event::Uploaded]);
    store.accounts.users.delete(&owner, Deletion::default()).await.unwrap();
    assert!(store.webhooks.log(&owner, &hook.id).await.unwrap().is_none());
    store.webhooks.sweep().await.unwrap();
}
