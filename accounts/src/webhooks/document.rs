//! Webhooks and their deliveries as the API shows them, and a person's wishes for them.

use serde::{Deserialize, Serialize};
use server::schema::{time, words};
use store::{
    Timestamp,
    webhooks::{DeliveryState, Event, Logged, Webhook},
};
use utoipa::{
    ToSchema,
    openapi::{Array, Object},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewWebhook)]
pub(crate) struct Wanted {
    #[schema(max_length = 2000, example = "https://example.org/hook")]
    pub(super) url: String,
    #[schema(schema_with = events)]
    pub(super) events: Vec<String>,
    /// One's own, where it is not given.
    pub(super) videos: Option<Videos>,
}

/// The members that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WebhookChanges)]
pub(crate) struct Edit {
    #[schema(max_length = 2000)]
    pub(super) url: Option<String>,
    #[schema(schema_with = events)]
    pub(super) events: Option<Vec<String>>,
    /// Whether it sends at all.
    pub(super) active: Option<bool>,
}

/// The videos that a webhook is about; all are an administrator's choice.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = WebhookVideos)]
pub(super) enum Videos {
    Own,
    All,
}

/// An address that is notified of what happens to videos.
#[derive(Serialize, ToSchema)]
#[schema(as = Webhook)]
pub(crate) struct Shown {
    id: String,
    url: String,
    #[schema(schema_with = events)]
    events: Vec<&'static str>,
    #[schema(value_type = Videos)]
    videos: &'static str,
    active: bool,
    /// The number of edits so far, which is its entity tag, in quotes.
    revision: u64,
    #[schema(schema_with = time)]
    created: String,
}

/// A webhook when it is made.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeWebhook)]
pub(crate) struct Added {
    #[serde(flatten)]
    pub(super) webhook: Shown,
    /// Signs every delivery; shown this once.
    pub(super) secret: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = WebhookList)]
pub(crate) struct Listed {
    pub(super) webhooks: Vec<Shown>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = DeliveryList)]
pub(crate) struct Log {
    pub(super) deliveries: Vec<Delivery>,
}

/// An event on its way to a webhook, or what became of it.
#[derive(Serialize, ToSchema)]
pub(super) struct Delivery {
    id: String,
    #[schema(schema_with = event)]
    event: &'static str,
    video: Video,
    #[schema(schema_with = time)]
    occurred: String,
    #[schema(schema_with = states)]
    state: &'static str,
    /// How often it was sent, since a person last sent it again.
    attempts: u32,
    /// The last attempt.
    #[schema(required, format = DateTime)]
    attempted: Option<String>,
    /// The next attempt of one that waits.
    #[schema(required, format = DateTime)]
    next: Option<String>,
    /// That of the last answer.
    #[schema(required)]
    status: Option<u16>,
    /// Why the last attempt did not succeed.
    #[schema(required)]
    problem: Option<String>,
}

/// A video as it was; it may be gone.
#[derive(Serialize, ToSchema)]
#[schema(as = VideoOfDelivery)]
struct Video {
    id: String,
    title: String,
}

fn event() -> Object {
    words(Event::ALL.map(Event::as_str))
}

fn events() -> Array {
    Array::new(event())
}

fn states() -> Object {
    let all = [DeliveryState::Waiting, DeliveryState::Delivered, DeliveryState::Failed];
    words(all.map(DeliveryState::as_str))
}

impl From<Webhook> for Shown {
    fn from(webhook: Webhook) -> Self {
        Self {
            id: webhook.id,
            url: webhook.url,
            events: webhook.events.into_iter().map(Event::as_str).collect(),
            videos: webhook.about.as_str(),
            active: webhook.active,
            revision: webhook.revision,
            created: webhook.created_at.rfc3339(),
        }
    }
}

impl From<Logged> for Delivery {
    fn from(logged: Logged) -> Self {
        let delivery = logged.delivery;
        Self {
            id: delivery.id,
            event: delivery.event.as_str(),
            video: Video { id: delivery.video, title: delivery.title },
            occurred: delivery.occurred_at.rfc3339(),
            state: logged.state.as_str(),
            attempts: delivery.attempts,
            attempted: logged.attempted_at.map(Timestamp::rfc3339),
            next: logged.next_at.map(Timestamp::rfc3339),
            status: logged.status,
            problem: logged.problem,
        }
    }
}
