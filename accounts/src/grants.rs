//! `/api/v1/videos/{id}/people`: the accounts that may watch a video while it is private, chosen by its owner.

use std::time::SystemTime;

use axum::extract::{Path, Request, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use server::{Response, ticket};
use store::{Grant, Grantee, UserId, VideoId};

use crate::{
    Accounts, Result,
    document::{self, invalid, json, no_content},
    email::Email,
    error::{unknown, unprocessable},
    guard::unknown_video,
};

// Far above the people whom somebody names one by one; each is a row that a list shows.
const MOST: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    email: Option<String>,
    user: Option<String>,
}

/// Lists the people of a video.
pub(crate) async fn list(State(accounts): State<Accounts>, Path(id): Path<String>) -> Result<Response> {
    let id = accounts.known(&id).await?;
    let people: Vec<Value> = accounts.store.grants.of(&id).await?.iter().map(shown).collect();
    Ok(json(StatusCode::OK, &json!({ "people": people })))
}

/// Shares a video with an account. By an address, the answer does not tell whether that has one.
pub(crate) async fn add(
    State(accounts): State<Accounts>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response> {
    let wanted: Wanted = document::read(request).await?;
    let id = accounts.known(&id).await?;
    if accounts.store.grants.of(&id).await?.len() >= MOST {
        let detail = format!("A video is shared with at most {MOST} people; take some off the list first.");
        return Err(unprocessable("too_many_people", detail));
    }
    let grants = &accounts.store.grants;
    let grant = match (&wanted.email, wanted.user) {
        (Some(email), None) => {
            let Email { shown, key } = Email::read(email)?;
            grants.add(&id, Grantee::Address { shown: &shown, key: &key }).await?
        }
        (None, Some(user)) => {
            let added = grants.add(&id, Grantee::Id(&UserId::from(user))).await?;
            Some(added.ok_or_else(|| unknown("unknown_user", "There is no such account."))?)
        }
        _ => return Err(invalid("give either `email`, an address, or `user`, an account's id")),
    };
    Ok(json(StatusCode::CREATED, &shown(&grant.ok_or_else(unknown_video)?)))
}

/// Takes somebody off the list. What they play stops within a second, wherever they are served.
pub(crate) async fn revoke(
    State(accounts): State<Accounts>,
    Path((id, grant)): Path<(String, String)>,
) -> Result<Response> {
    let id = accounts.known(&id).await?;
    let tickets_from = ticket::end(SystemTime::now(), accounts.config.ticket_lifetime) + 1;
    if !accounts.store.grants.revoke(&id, &grant, tickets_from).await? {
        return Err(unknown("unknown_person", "The video is not shared with them; it may have been ended."));
    }
    Ok(no_content())
}

impl Accounts {
    /// Reads the id of a video that is there.
    async fn known(&self, id: &str) -> Result<VideoId> {
        let id = id.parse().map_err(|_| unknown_video())?;
        self.store.videos.rights(&id).await?.ok_or_else(unknown_video)?;
        Ok(id)
    }
}

fn shown(grant: &Grant) -> Value {
    let user = grant.user.as_ref().map(|(id, name)| json!({ "id": id, "name": name }));
    json!({
        "id": grant.id,
        "email": grant.email,
        "user": user,
        "created": grant.created_at.rfc3339(),
    })
}
