//! `/api/v1/webhooks`: addresses of other programs that are notified of what happens to a person's videos; administrators may
//! have all. Leaves the sending to `deliver`.

mod address;
mod deliver;
mod document;
mod message;
mod sender;
mod target;

use std::time::Duration;

use axum::{
    Extension,
    extract::{Path, Request, State},
};
use http::StatusCode;
use server::{Response, revision};
use store::{
    accounts::Role,
    webhooks::{About, Event, NewWebhook, WebhookEdit},
};

pub use address::Allowed;

use crate::{
    Accounts, Result,
    asker::Asker,
    document::{invalid, json, no_content, read},
    error::{forbidden, unknown, unprocessable},
};
use document::{Added, Edit, Listed, Log, Shown, Videos, Wanted};

// A person's: each event is one delivery for every one of them.
const MOST: usize = 20;

/// The configuration of webhooks.
#[derive(Clone, Debug)]
pub struct Config {
    /// Hosts and networks that they may reach although they are not public.
    pub allowed: Allowed,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// The pauses between the attempts; behind the last one a delivery is given up.
    pub pauses: Vec<Duration>,
}

impl Default for Config {
    fn default() -> Self {
        // Together a day.
        let seconds = [5, 30, 120, 600, 1800, 3600, 2 * 3600, 4 * 3600, 6 * 3600, 10 * 3600];
        Self {
            allowed: Allowed::default(),
            timeout: Duration::from_secs(15),
            pauses: seconds.map(Duration::from_secs).to_vec(),
        }
    }
}

impl Config {
    /// Returns the pause behind an attempt, by its number from 1 on. It is random by a fifth, so that what failed at once is
    /// not sent again at once.
    fn pause(&self, attempt: u32) -> Option<Duration> {
        let pause = self.pauses.get(attempt.saturating_sub(1) as usize)?;
        Some(pause.mul_f64(rand::random_range(0.8..1.2)))
    }
}

/// Lists a person's webhooks, newest first.
#[utoipa::path(
    get, path = "/api/v1/webhooks", tag = "webhooks", operation_id = "listWebhooks",
    responses((status = 200, body = Listed)),
)]
pub(crate) async fn list(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
) -> Result<Response> {
    let found = accounts.store.webhooks.of(&asker.user.id).await?;
    let webhooks = found.into_iter().map(Shown::from).collect();
    Ok(json(StatusCode::OK, &Listed { webhooks }))
}

/// Makes a webhook and shows its secret, this once.
#[utoipa::path(
    post, path = "/api/v1/webhooks", tag = "webhooks", operation_id = "addWebhook",
    request_body = Wanted,
    responses(
        (status = 201, body = Added),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`administrators_only`"),
        (status = 422, description = "`invalid_url`, `no_event`, `too_many_webhooks`"),
    ),
)]
pub(crate) async fn add(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    request: Request,
) -> Result<Response> {
    let wanted: Wanted = read(request).await?;
    let url = target::read(&wanted.url, &accounts.config.webhooks.allowed)?;
    let events = events(&wanted.events)?;
    let about = match wanted.videos {
        Some(Videos::All) if asker.user.role == Role::Administrator => About::All,
        Some(Videos::All) => {
            return Err(forbidden("administrators_only", "Webhooks of all videos are for administrators."));
        }
        Some(Videos::Own) | None => About::Own,
    };
    let webhooks = &accounts.store.webhooks;
    if webhooks.of(&asker.user.id).await?.len() >= MOST {
        let detail = format!("An account has at most {MOST} webhooks; delete one first.");
        return Err(unprocessable("too_many_webhooks", detail));
    }
    let secret = message::secret();
    let new = NewWebhook { user: &asker.user.id, url: &url, events: &events, about, secret: &secret };
    let webhook = webhooks.add(&new).await?.into();
    Ok(json(StatusCode::CREATED, &Added { webhook, secret }))
}

/// Changes where a webhook sends to, what, and whether.
#[utoipa::path(
    patch, path = "/api/v1/webhooks/{webhook}", tag = "webhooks", operation_id = "editWebhook",
    params(("webhook" = String, Path, description = "The webhook's id"), ("If-Match" = Option<String>, Header, description = "The `ETag` of the document that was edited")),
    request_body = Edit,
    responses(
        (status = 200, body = Shown, headers(("ETag" = String, description = "The revision"))),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 404, description = "`unknown_webhook`"),
        (status = 412, description = "`edited_meanwhile`"),
        (status = 422, description = "`invalid_url`, `no_event`"),
    ),
)]
pub(crate) async fn edit(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response> {
    let webhooks = &accounts.store.webhooks;
    let current = webhooks.get(&asker.user.id, &id).await?.ok_or_else(gone)?;
    let seen = revision::seen(request.headers(), current.revision)?;
    let wanted: Edit = read(request).await?;
    let allowed = &accounts.config.webhooks.allowed;
    let edit = WebhookEdit {
        url: wanted.url.as_deref().map(|url| target::read(url, allowed)).transpose()?,
        events: wanted.events.as_deref().map(events).transpose()?,
        active: wanted.active,
        seen,
    };
    let edited = webhooks.edit(&asker.user.id, &id, &edit).await?.ok_or_else(gone)?;
    let revision = edited.revision;
    Ok(revision::tagged(StatusCode::OK, &Shown::from(edited), revision))
}

/// Removes a webhook with its log.
#[utoipa::path(
    delete, path = "/api/v1/webhooks/{webhook}", tag = "webhooks", operation_id = "removeWebhook",
    params(("webhook" = String, Path, description = "The webhook's id")),
    responses((status = 204), (status = 404, description = "`unknown_webhook`")),
)]
pub(crate) async fn remove(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
) -> Result<Response> {
    if accounts.store.webhooks.remove(&asker.user.id, &id).await? { Ok(no_content()) } else { Err(gone()) }
}

/// Lists the newest deliveries of a webhook.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{webhook}/deliveries", tag = "webhooks", operation_id = "listDeliveries",
    params(("webhook" = String, Path, description = "The webhook's id")),
    responses((status = 200, body = Log), (status = 404, description = "`unknown_webhook`")),
)]
pub(crate) async fn log(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
) -> Result<Response> {
    let log = accounts.store.webhooks.log(&asker.user.id, &id).await?.ok_or_else(gone)?;
    let deliveries = log.into_iter().map(document::Delivery::from).collect();
    Ok(json(StatusCode::OK, &Log { deliveries }))
}

/// Sends a delivery again, with the id that it had.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{webhook}/deliveries/{delivery}/retry", tag = "webhooks", operation_id = "retryDelivery",
    params(
        ("webhook" = String, Path, description = "The webhook's id"),
        ("delivery" = String, Path, description = "The delivery's id"),
    ),
    responses(
        (status = 202, body = Object, content_type = "application/json"),
        (status = 404, description = "`unknown_delivery`"),
    ),
)]
pub(crate) async fn send_again(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    Path((id, delivery)): Path<(String, String)>,
) -> Result<Response> {
    if !accounts.store.webhooks.send_again(&asker.user.id, &id, &delivery).await? {
        return Err(unknown("unknown_delivery", "There is no such delivery; old ones leave the log."));
    }
    Ok(json(StatusCode::ACCEPTED, &serde_json::json!({})))
}

/// Reads the words of events, each once.
fn events(words: &[String]) -> Result<Vec<Event>> {
    let read = |word: &String| {
        let all = Event::ALL.map(Event::as_str).join(", ");
        Event::read(word).ok_or_else(|| invalid(format!("\"{word}\" is no event; there are {all}")))
    };
    let mut events = words.iter().map(read).collect::<Result<Vec<_>>>()?;
    events.sort_unstable();
    events.dedup();
    if events.is_empty() {
        return Err(unprocessable("no_event", "A webhook has at least one event."));
    }
    Ok(events)
}

fn gone() -> crate::Error {
    unknown("unknown_webhook", "There is no such webhook; it may have been deleted.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_tried_for_a_day_with_growing_pauses() {
        let config = Config::default();
        let whole: Duration = config.pauses.iter().sum();
        assert!(whole > Duration::from_hours(23) && whole < Duration::from_hours(25), "{whole:?}");
        assert!(config.pauses.is_sorted());
        for (n, pause) in config.pauses.iter().enumerate() {
            let random = config.pause(n as u32 + 1).unwrap();
            assert!(random >= pause.mul_f64(0.8) && random <= pause.mul_f64(1.2), "{random:?}");
        }
        assert!(config.pause(config.pauses.len() as u32 + 1).is_none());
    }
}
