//! The statements behind lists and rights: gathered from the log as the public calls run, so that a test can have the
//! database explain them.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Mutex},
};

use store::{
    Cursor, Listing, PageOf, Quota, Shown, Sort, SortKey, State, Store, Timestamp, UserId, VideoId, Wanted,
    Words,
};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    instrument::WithSubscriber,
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt};

use super::{search::says_very_often, uploaded};

/// Gathers the statements that run within a future.
#[derive(Clone, Default)]
struct Gathered(Arc<Mutex<BTreeSet<String>>>);

impl<S: Subscriber> Layer<S> for Gathered {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target().starts_with("store::sql") {
            event.record(&mut self.clone());
        }
    }
}

impl Visit for Gathered {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "statement" {
            self.0.lock().unwrap().insert(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

/// Returns the statements that lists, documents, searches and the rights at them run.
pub(crate) async fn of_lists(store: &Store) -> Vec<String> {
    for n in 0..3 {
        uploaded(store, &format!("Video {n}")).await;
    }
    // A word that is looked for among the videos themselves.
    says_very_often(store, "Talk", "very often").await;
    let gathered = Gathered::default();
    let subscriber = tracing_subscriber::registry().with(gathered.clone());
    look_everywhere(store).with_subscriber(subscriber).await;
    let statements: Vec<String> = gathered.0.lock().unwrap().iter().cloned().collect();
    assert!(statements.len() > 12, "{statements:#?}");
    statements
}

async fn look_everywhere(store: &Store) {
    let user = UserId::random();
    let place = |key| Cursor { key, created_at: Timestamp::now(), id: VideoId::random() };
    let id = place(None).id;
    for shown in [
        Shown::All,
        Shown::PublicAnd(None),
        Shown::PublicAnd(Some(user.clone())),
        Shown::Of(user.clone()),
        Shown::SharedWith(user.clone()),
    ] {
        for sort in Sort::ALL {
            let after = place(match sort {
                Sort::Newest | Sort::Oldest => None,
                Sort::Title => Some(SortKey::Text("title".into())),
                Sort::Views | Sort::Longest => Some(SortKey::Number(7)),
            });
            for (state, after) in [(None, None), (Some(State::Failed), Some(&after))] {
                for tag in [None, Some("tag")] {
                    store.videos.list(Listing { shown: &shown, state, tag, sort, after }, 50).await.unwrap();
                }
            }
        }
        for words in ["video", "often"] {
            let wanted = Wanted { words: &Words::parse(words), shown: &shown, after: None };
            store.search.find(&wanted, 20).await.unwrap();
        }
    }
    let ids = [id];
    store.videos.get_all(&ids).await.unwrap();
    store.renditions.of_all(&ids).await.unwrap();
    store.renditions.published(&ids).await.unwrap();
    store.videos.tags_of_all(&ids).await.unwrap();
    store.captions.of_all(&ids).await.unwrap();
    store.uploads.stored(&ids).await.unwrap();
    store.jobs.queue_positions(&ids).await.unwrap();
    let [id] = ids;
    store.videos.get(&id).await.unwrap();
    store.videos.rights(&id).await.unwrap();
    store.quotas.balance(&user, Quota::default()).await.unwrap();
    store.grants.of(&id).await.unwrap();
    store.grants.has(&id, &user).await.unwrap();
    store.shares.of(&id).await.unwrap();
    store.shares.find(&id, "secret").await.unwrap();
    store.accounts.users.get(&user).await.unwrap();
    store.accounts.users.by_email("a@example.org").await.unwrap();
    store.accounts.sessions.find("secret", Timestamp(0)).await.unwrap();
    store.accounts.sessions.of(&user, Timestamp(0)).await.unwrap();
    store.accounts.tokens.find("secret").await.unwrap();
    store.accounts.tokens.of(&user).await.unwrap();
    let job = store.jobs.list(None, 1).await.unwrap().next.unwrap();
    store.jobs.list(Some(&job), 50).await.unwrap();
    let page = PageOf { after: None, limit: 50 };
    store.accounts.users.page(page).await.unwrap();
    store.accounts.invitations.page(page).await.unwrap();
    store.accounts.sessions.page(&user, Timestamp(0), page).await.unwrap();
    store.accounts.tokens.page(&user, page).await.unwrap();
    store.shares.page(&id, page).await.unwrap();
    store.grants.page(&id, page).await.unwrap();
    store.sweep_expired(Timestamp(0)).await.unwrap();
}
