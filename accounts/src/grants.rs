//! `/api/v1/videos/{id}/people`: the accounts that may watch a video while it is private, chosen by its owner.

use axum::extract::{Path, Request, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use server::{Response, schema::time};
use store::{Grant, Grantee, UserId};
use utoipa::ToSchema;

use crate::{
    Accounts, Result,
    document::{self, invalid, json, no_content},
    email::Email,
    error::{unknown, unprocessable},
    guard::unknown_video,
    page::{self, Page, PageParams},
};

// Far above the people whom somebody names one by one; each is a row that a list shows.
const MOST: usize = 200;

/// One of both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPerson)]
pub(crate) struct Wanted {
    email: Option<String>,
    /// An account's id.
    user: Option<String>,
}

/// Somebody with whom a video is shared.
#[derive(Serialize, ToSchema)]
#[schema(as = Person)]
pub(crate) struct Shown {
    id: String,
    /// The address by which they were chosen, if it was one.
    #[schema(required)]
    email: Option<String>,
    /// The account by which they were chosen, if it was one.
    #[schema(required)]
    user: Option<Named>,
    #[schema(schema_with = time)]
    created: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = NamedUser)]
struct Named {
    id: String,
    name: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = PersonList)]
pub(crate) struct Listed {
    people: Vec<Shown>,
    /// The `cursor` of the next page; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// Lists the people of a video, newest first.
#[utoipa::path(
    get, path = "/api/v1/videos/{id}/people", tag = "sharing", operation_id = "listPeople",
    params(("id" = String, Path, description = "The video"), PageParams),
    responses((status = 200, body = Listed), (status = 400, description = "`invalid_query`, `invalid_limit`, `invalid_cursor`"), (status = 404, description = "`unknown_video`")),
)]
pub(crate) async fn list(
    State(accounts): State<Accounts>,
    Path(id): Path<String>,
    page: Page,
) -> Result<Response> {
    let id = accounts.known(&id).await?;
    let found = accounts.store.grants.page(&id, page.of()).await?;
    let next = page::next(&found);
    let people = found.entries.into_iter().map(Shown::from).collect();
    Ok(json(StatusCode::OK, &Listed { people, next }))
}

/// Shares a video with an account. By an address, the answer does not tell whether that has one.
#[utoipa::path(
    post, path = "/api/v1/videos/{id}/people", tag = "sharing", operation_id = "addPerson",
    params(("id" = String, Path, description = "The video")),
    request_body = Wanted,
    responses(
        (status = 201, body = Shown),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 404, description = "`unknown_video`, `unknown_user`"),
        (status = 422, description = "`invalid_email`, `too_many_people`"),
    ),
)]
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
    Ok(json(StatusCode::CREATED, &Shown::from(grant.ok_or_else(unknown_video)?)))
}

/// Takes somebody off the list. What they play stops within a second, wherever they are served.
#[utoipa::path(
    delete, path = "/api/v1/videos/{id}/people/{grant}", tag = "sharing", operation_id = "removePerson",
    params(("id" = String, Path, description = "The video"), ("grant" = String, Path, description = "The entry's id")),
    responses((status = 204), (status = 404, description = "`unknown_video`, `unknown_person`")),
)]
pub(crate) async fn revoke(
    State(accounts): State<Accounts>,
    Path((id, grant)): Path<(String, String)>,
) -> Result<Response> {
    let id = accounts.known(&id).await?;
    if !accounts.store.grants.revoke(&id, &grant, accounts.tickets_from()).await? {
        return Err(unknown("unknown_person", "The video is not shared with them; it may have been ended."));
    }
    Ok(no_content())
}

impl From<Grant> for Shown {
    fn from(grant: Grant) -> Self {
        Self {
            id: grant.id,
            email: grant.email,
            user: grant.user.map(|(id, name)| Named { id: id.to_string(), name }),
            created: grant.created_at.rfc3339(),
        }
    }
}
