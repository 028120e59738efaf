//! `/api/v1/account`: a person's own account. What opens it, or ends it, needs the current password.

use axum::{
    Extension,
    extract::{Request, State},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use server::{Response, revision};
use store::{
    UserId,
    accounts::{Changed, Deletion as Gone, Email as Address, Profile},
};
use utoipa::ToSchema;

use crate::{
    Accounts, Result,
    asker::Asker,
    document::{self, no_content},
    email::{self, Email},
    error::{forbidden, unknown, unprocessable},
    lost_tickets, name, password,
};

/// The members that are absent stay as they are.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountChanges)]
pub(crate) struct Edit {
    name: Option<String>,
    email: Option<String>,
    /// Needed for a new address.
    current_password: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPassword {
    current_password: String,
    new_password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AccountDeletion)]
pub(crate) struct Deletion {
    current_password: String,
    videos: Videos,
}

/// The password once more, for what opens an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Confirmation {
    current_password: String,
}

/// The fate of a deleted account's videos.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = VideosOfAccount)]
pub(crate) enum Videos {
    /// They go with it.
    Delete,
    /// They are handed to the account with this id.
    To(String),
}

/// An account with what its videos take and may take.
#[derive(Serialize, ToSchema)]
#[schema(as = OwnAccount)]
pub(crate) struct Shown {
    #[serde(flatten)]
    account: document::Account,
    usage: Usage,
    quota: Quota,
}

#[derive(Serialize, ToSchema)]
struct Usage {
    bytes: u64,
    minutes: f64,
}

/// The most that videos may take; null is any amount.
#[derive(Serialize, ToSchema)]
struct Quota {
    #[schema(required)]
    bytes: Option<u64>,
    #[schema(required)]
    minutes: Option<u64>,
}

/// Shows the account.
#[utoipa::path(
    get, path = "/api/v1/account", tag = "account", operation_id = "getAccount",
    responses((status = 200, body = Shown, headers(("ETag" = String, description = "The revision")))),
)]
pub(crate) async fn show(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
) -> Result<Response> {
    let balance = accounts.store.quotas.balance(&asker.user.id, accounts.config.quota).await?;
    let shown = Shown {
        account: (&asker.user).into(),
        usage: Usage { bytes: balance.usage.bytes, minutes: balance.usage.minutes },
        quota: Quota { bytes: balance.quota.bytes, minutes: balance.quota.minutes },
    };
    Ok(revision::tagged(StatusCode::OK, &shown, asker.user.revision))
}

/// Changes the name and the address, each if it is given. Where the site sends mail, a link proves the new address first: the answer
/// is 202, and the address is the account's once somebody has opened the link.
#[utoipa::path(
    patch, path = "/api/v1/account", tag = "account", operation_id = "editAccount",
    params(("If-Match" = Option<String>, Header, description = "The `ETag` of the document that was edited")),
    request_body = Edit,
    responses(
        (status = 200, body = document::Account, headers(("ETag" = String, description = "The revision"))),
        (status = 202, body = document::Account, headers(("ETag" = String, description = "The revision"))),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`wrong_password`"),
        (status = 404, description = "`unknown_user`"),
        (status = 412, description = "`edited_meanwhile`"),
        (status = 422, description = "`invalid_name`, `invalid_email`"),
        (status = 429, description = "`too_many_attempts`"),
        (status = 503, description = "`busy`"),
    ),
)]
pub(crate) async fn edit(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    request: Request,
) -> Result<Response> {
    let seen = revision::seen(request.headers(), asker.user.revision)?;
    let edit: Edit = document::read(request).await?;
    let (users, id) = (&accounts.store.accounts.users, &asker.user.id);
    let name = edit.name.as_deref().map(name::read).transpose()?;
    let email = edit.email.as_deref().map(Email::read).transpose()?;
    // Before the name: where the password or the address is refused, nothing has changed.
    if email.is_some() {
        accounts.confirm(&asker, edit.current_password.as_deref().unwrap_or_default()).await?;
    }
    let (at_once, unproved) = match &email {
        Some(email) if accounts.needs_proof(&asker, email) => (None, Some(email)),
        email => (email.as_ref(), None),
    };
    if let Some(email) = unproved {
        accounts.count_mail(&email.key).await?;
    }
    let address = at_once.map(|email| Address { shown: &email.shown, key: &email.key });
    let profile = Profile { name: name.as_deref(), email: address, seen };
    let Some(user) = users.edit(id, &profile).await? else {
        return Err(if users.get(id).await?.is_some() { email::taken() } else { gone() });
    };
    let mut status = StatusCode::OK;
    if let Some(email) = unproved {
        accounts.prove(email, Some(id)).await?;
        status = StatusCode::ACCEPTED;
    }
    Ok(revision::tagged(status, &document::Account::from(&user), user.revision))
}

/// Changes the password and ends all other sessions.
#[utoipa::path(
    put, path = "/api/v1/account/password", tag = "account", operation_id = "setPassword",
    request_body = NewPassword,
    responses(
        (status = 204),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`wrong_password`"),
        (status = 422, description = "`password_too_short`, `password_too_long`, `password_too_common`"),
        (status = 429, description = "`too_many_attempts`"),
        (status = 503, description = "`busy`"),
    ),
)]
pub(crate) async fn set_password(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    request: Request,
) -> Result<Response> {
    let given: NewPassword = document::read(request).await?;
    accounts.confirm(&asker, &given.current_password).await?;
    let hash = accounts.passwords.hash(password::accept(&given.new_password)?).await?;
    accounts.store.set_password(&asker.user.id, &hash, asker.session()).await?;
    Ok(no_content())
}

/// Deletes the account, and its videos or hands them to another account.
#[utoipa::path(
    delete, path = "/api/v1/account", tag = "account", operation_id = "deleteAccount",
    request_body = Deletion,
    responses(
        (status = 204),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`wrong_password`, `insecure_line`"),
        (status = 404, description = "`unknown_user`"),
        (status = 422, description = "`last_administrator`, `unknown_heir`"),
        (status = 429, description = "`too_many_attempts`"),
        (status = 503, description = "`busy`"),
    ),
)]
pub(crate) async fn delete(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    request: Request,
) -> Result<Response> {
    let line = accounts.line(&request);
    let given: Deletion = document::read(request).await?;
    accounts.confirm(&asker, &given.current_password).await?;
    accounts.delete(&asker.user.id, given.videos).await?;
    let mut response = no_content();
    response.headers_mut().insert(http::header::SET_COOKIE, line.take_away()?);
    Ok(response)
}

impl Accounts {
    /// Deletes an account, and its videos or hands them to another.
    pub(crate) async fn delete(&self, id: &UserId, videos: Videos) -> Result<()> {
        let heir = match videos {
            Videos::Delete => None,
            Videos::To(heir) => Some(UserId::from(heir)),
        };
        let tickets = lost_tickets(self.config.audience, self.config.ticket_lifetime);
        match self.store.delete_account(id, Gone { heir: heir.as_ref(), tickets }).await? {
            Changed::Done => {}
            Changed::Unknown => return Err(gone()),
            Changed::LastAdministrator => return Err(last_administrator()),
            Changed::UnknownHeir => return Err(unknown_heir()),
        }
        // To the end also when the client does not wait; a kill leaves the rest to the next sweep.
        let store = self.store.clone();
        let deleting = tokio::spawn(async move { store.delete_accounts().await });
        match deleting.await {
            Ok(deleted) => deleted?,
            Err(error) => {
                tracing::error!(%error, "the deletion of an account was interrupted; the sweep goes on with it");
            }
        }
        Ok(())
    }

    /// Reads a request whose document has nothing but the person's password, and compares that.
    pub(crate) async fn read_confirmation(&self, asker: &Asker, request: Request) -> Result<()> {
        let given: Confirmation = document::read(request).await?;
        self.confirm(asker, &given.current_password).await
    }

    /// Compares a person's password. A session that somebody else has got hold of must not try all of them.
    pub(crate) async fn confirm(&self, asker: &Asker, password: &str) -> Result<()> {
        // Before the comparison: tries at one moment would all pass a count behind it.
        self.count_account(asker.user.id.as_str()).await?;
        self.passwords.confirm(password, &asker.user.password).await
    }
}

pub(crate) fn last_administrator() -> crate::Error {
    let detail = "This is the last administrator; make another one first.";
    unprocessable("last_administrator", detail)
}

fn unknown_heir() -> crate::Error {
    let detail = "No other account has this id, so nothing was deleted. A person finds theirs on the page of their account.";
    unprocessable("unknown_heir", detail)
}

fn gone() -> crate::Error {
    unknown("unknown_user", "There is no such account; it may have been deleted.")
}

/// The refusal of what closed sites do not have.
pub(crate) fn closed() -> crate::Error {
    forbidden("sign_up_closed", "Nobody can sign up on this site by themselves; ask its administrator.")
}
