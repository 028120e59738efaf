//! `/api/v1/users`: signing up, and the accounts as administrators see and change them.

use axum::{
    Extension,
    extract::{Path, Request, State},
};
use http::StatusCode;
use serde::{Deserialize, Deserializer, Serialize};
use server::{Response, revision};
use store::{
    UserId,
    accounts::{Change, Changed, NewLimit, NewUser, Role, SignUp as Ground, SignedUp},
};
use utoipa::ToSchema;

use crate::{
    Accounts, Error, Reach, Result, SignUp,
    account::{Videos, closed, last_administrator},
    asker::Asker,
    document::{self, json, no_content},
    email::{self, Email},
    error::{forbidden, unknown, unprocessable},
    lost_tickets, name,
    page::{self, Page, PageParams},
    password,
    secret::Secret,
    session::{Browser, SignedIn},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    name: String,
    email: String,
    password: String,
    /// That of a link.
    key: Option<String>,
}

/// The members that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserChanges)]
pub(crate) struct Edit {
    disabled: Option<bool>,
    role: Option<RoleWord>,
    /// Null for the limit of everybody.
    #[serde(default, deserialize_with = "limit")]
    #[schema(value_type = Option<u64>)]
    quota_bytes: NewLimit,
    /// Null for the limit of everybody.
    #[serde(default, deserialize_with = "limit")]
    #[schema(value_type = Option<u64>)]
    quota_minutes: NewLimit,
}

/// Reads a limit: a number, or null for that of everybody. One that is absent stays.
fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<NewLimit, D::Error> {
    Ok(Option::<u64>::deserialize(deserializer)?.map_or(NewLimit::OfEverybody, NewLimit::Own))
}

#[derive(Serialize, ToSchema)]
#[schema(as = UserList)]
pub(crate) struct Listed {
    users: Vec<document::Account>,
    /// The `cursor` of the next page; null at the end.
    #[schema(required)]
    next: Option<String>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = Role)]
enum RoleWord {
    Administrator,
    User,
}

/// Makes an account and signs it in.
#[utoipa::path(
    post, path = "/api/v1/users", tag = "session", operation_id = "signUp",
    request_body = NewAccount,
    responses(
        (status = 201, body = SignedIn, headers(("Set-Cookie" = String, description = "The session"))),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`sign_up_closed`, `wrong_key`, `insecure_line`"),
        (status = 422, description = "`invalid_name`, `invalid_email`, `password_too_short`, `password_too_long`, `password_too_common`"),
        (status = 429, description = "`too_many_attempts`"),
        (status = 503, description = "`busy`"),
    ),
)]
pub(crate) async fn sign_up(State(accounts): State<Accounts>, request: Request) -> Result<Response> {
    accounts.count_address(accounts.client(&request)).await?;
    let browser = Browser::of(&accounts, &request)?;
    let given: NewAccount = document::read(request).await?;
    let key = given.key.as_deref().filter(|key| !key.is_empty());
    let hashed = key.map(|key| Secret::shown(key).map(|key| key.hash()).ok_or_else(wrong_key)).transpose()?;
    // Refused before the hash is paid for; `sign_up` looks once more, under its lock.
    let ground = accounts.ground(hashed.as_deref()).await?;
    let (name, email) = (name::read(&given.name)?, Email::read(&given.email)?);
    let password = password::accept(&given.password)?;
    let hash = accounts.passwords.hash(password).await?;
    let new = NewUser { name: &name, email: &email.shown, email_key: &email.key, password: &hash };
    match accounts.store.accounts.users.sign_up(&new, ground).await? {
        SignedUp::Created(user) => {
            tracing::info!(user = %user.id, role = user.role.as_str(), "an account was made");
            accounts.signed_in(&browser, &user, StatusCode::CREATED).await
        }
        SignedUp::Taken => Err(email::taken()),
        SignedUp::Refused => Err(wrong_key()),
    }
}

/// Lists all accounts, the oldest first.
#[utoipa::path(
    get, path = "/api/v1/users", tag = "administration", operation_id = "listUsers",
    params(PageParams),
    responses((status = 200, body = Listed), (status = 400, description = "`invalid_query`, `invalid_limit`, `invalid_cursor`")),
)]
pub(crate) async fn list(State(accounts): State<Accounts>, page: Page) -> Result<Response> {
    let found = accounts.store.accounts.users.page(page.of()).await?;
    let next = page::next(&found);
    let users = found.entries.iter().map(document::Account::from).collect();
    Ok(json(StatusCode::OK, &Listed { users, next }))
}

/// Disables, enables, promotes or demotes an account, or sets its quota.
///
/// The playback of a disabled person stops within a second at every edge, but for what strangers may watch.
#[utoipa::path(
    patch, path = "/api/v1/users/{user}", tag = "administration", operation_id = "changeUser",
    params(("user" = String, Path, description = "The account's id"), ("If-Match" = Option<String>, Header, description = "The `ETag` of the document that was edited")),
    request_body = Edit,
    responses(
        (status = 200, body = document::Account, headers(("ETag" = String, description = "The revision"))),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 404, description = "`unknown_user`"),
        (status = 412, description = "`edited_meanwhile`"),
        (status = 422, description = "`last_administrator`"),
    ),
)]
pub(crate) async fn change(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response> {
    let id = UserId::from(id);
    let users = &accounts.store.accounts.users;
    let current = users.get(&id).await?.ok_or_else(unknown_user)?;
    let seen = revision::seen(request.headers(), current.revision)?;
    let edit: Edit = document::read(request).await?;
    let role = edit.role.map(|word| match word {
        RoleWord::Administrator => Role::Administrator,
        RoleWord::User => Role::User,
    });
    let Edit { disabled, quota_bytes, quota_minutes, .. } = edit;
    let tickets = lost_tickets(accounts.config.audience, accounts.config.ticket_lifetime);
    let change = Change { disabled, role, quota_bytes, quota_minutes, tickets, seen };
    match accounts.store.change_account(&id, change).await? {
        Changed::Done => {
            tracing::info!(user = %id, by = %asker.user.id, ?disabled, "an account was changed");
        }
        Changed::Unknown | Changed::UnknownHeir => return Err(unknown_user()),
        Changed::LastAdministrator => return Err(last_administrator()),
    }
    let user = users.get(&id).await?.ok_or_else(unknown_user)?;
    Ok(revision::tagged(StatusCode::OK, &document::Account::from(&user), user.revision))
}

/// The fate of what a person leaves behind.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UserRemoval)]
pub(crate) struct Removal {
    videos: Videos,
}

/// Deletes an account, and its videos or hands them to another account.
///
/// The person's playback stops within a second at every edge, but for what strangers may watch.
#[utoipa::path(
    delete, path = "/api/v1/users/{user}", tag = "administration", operation_id = "removeUser",
    params(("user" = String, Path, description = "The account's id")),
    request_body = Removal,
    responses(
        (status = 204),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 404, description = "`unknown_user`"),
        (status = 422, description = "`last_administrator`, `unknown_heir`, `own_account`"),
    ),
)]
pub(crate) async fn remove(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response> {
    let id = UserId::from(id);
    // That needs the password, and takes the cookie away.
    if id == asker.user.id {
        return Err(unprocessable("own_account", "Delete your own account on its page, with your password."));
    }
    let Removal { videos } = document::read(request).await?;
    accounts.delete(&id, videos).await?;
    tracing::info!(user = %id, by = %asker.user.id, "an account was removed");
    Ok(no_content())
}

impl Accounts {
    /// Returns the ground on which a stranger may sign up, by the hashed key of their link.
    async fn ground<'a>(&self, key: Option<&'a str>) -> Result<Ground<'a>> {
        let any = self.store.accounts.users.any().await?;
        match (any, key, self.config.sign_up) {
            // First, for a closed site takes no link of the time before it was closed either.
            (true, _, SignUp::Closed) => Err(closed()),
            (_, Some(key), _) => Ok(Ground::Invited(key)),
            (false, None, _) if self.config.reach == Reach::Loopback => Ok(Ground::First),
            // Where all may sign up, a mail brings the link: an answer here would tell whether an address has an account.
            (_, None, _) => Err(wrong_key()),
        }
    }
}

fn wrong_key() -> Error {
    let detail = "This link was used already, has ended, or is for another address; ask for a new one.";
    forbidden("wrong_key", detail)
}

fn unknown_user() -> Error {
    unknown("unknown_user", "There is no such account.")
}
