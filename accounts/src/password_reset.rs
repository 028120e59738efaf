//! `/api/v1/password-resets`: a link by mail for somebody who has forgotten their password.

use axum::extract::{Request, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use server::Response;
use store::accounts::MailKind;
use utoipa::ToSchema;

use crate::{
    Accounts, Error, Result,
    document::{self, json, no_content},
    email::Email,
    error::{forbidden, unprocessable},
    password,
    secret::Secret,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForgottenPassword)]
pub(crate) struct Forgotten {
    email: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasswordReset)]
pub(crate) struct Reset {
    /// That of the link.
    key: String,
    new_password: String,
}

/// Has a link sent, if the address has an account.
#[utoipa::path(
    post, path = "/api/v1/password-resets", tag = "session", operation_id = "askForPasswordReset",
    request_body = Forgotten,
    responses(
        (status = 202, body = Object, content_type = "application/json"),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 422, description = "`no_mail`, `invalid_email`"),
        (status = 429, description = "`too_many_attempts`"),
    ),
)]
pub(crate) async fn ask(State(accounts): State<Accounts>, request: Request) -> Result<Response> {
    accounts.count_address(accounts.client(&request)).await?;
    let given: Forgotten = document::read(request).await?;
    if accounts.config.mail.is_none() {
        let detail = "This site sends no mail; ask its administrator for a new password.";
        return Err(unprocessable("no_mail", detail));
    }
    let email = Email::read(&given.email)?;
    // Anybody could else have a stranger's mailbox flooded.
    accounts.count_mail(&email.key).await?;
    // The same work for an address that has no account: the queue finds that out, which nobody waits for.
    accounts.queue_mail(&MailKind::Reset, &email).await?;
    Ok(json(StatusCode::ACCEPTED, &json!({})))
}

/// Sets a new password by a link, and ends all sessions.
#[utoipa::path(
    put, path = "/api/v1/password-resets", tag = "session", operation_id = "resetPassword",
    request_body = Reset,
    responses(
        (status = 204),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`wrong_key`"),
        (status = 422, description = "`password_too_short`, `password_too_long`, `password_too_common`"),
        (status = 429, description = "`too_many_attempts`"),
        (status = 503, description = "`busy`"),
    ),
)]
pub(crate) async fn set(State(accounts): State<Accounts>, request: Request) -> Result<Response> {
    accounts.count_address(accounts.client(&request)).await?;
    let given: Reset = document::read(request).await?;
    let key = Secret::shown(&given.key).ok_or_else(wrong_key)?.hash();
    let resets = &accounts.store.accounts.password_resets;
    // A hash costs too much for a link that counts no more.
    let user = resets.person(&key).await?.ok_or_else(wrong_key)?;
    let hash = accounts.passwords.hash(password::accept(&given.new_password)?).await?;
    if !accounts.store.reset_password(&key, &hash).await? {
        return Err(wrong_key());
    }
    tracing::info!(%user, "a forgotten password was set anew");
    Ok(no_content())
}

fn wrong_key() -> Error {
    forbidden("wrong_key", "This link was used already or has ended; ask for a new one.")
}
