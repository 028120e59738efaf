//! `/api/v1/password-resets`: a link by mail for somebody who has forgotten their password.

use axum::extract::{Request, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use server::Response;
use store::accounts::MailKind;

use crate::{
    Accounts, Error, Result,
    document::{self, json, no_content},
    email::Email,
    error::{forbidden, unprocessable},
    password,
    secret::Secret,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Forgotten {
    email: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reset {
    key: String,
    new_password: String,
}

/// Has a link sent, if the address has an account. The request does the same work if it has none: the queue finds that out,
/// which nobody waits for.
pub(crate) async fn ask(State(accounts): State<Accounts>, request: Request) -> Result<Response> {
    accounts.count_address(accounts.client(&request)).await?;
    let given: Forgotten = document::read(request).await?;
    if accounts.config.mail.is_none() {
        let detail = "This site sends no mail; ask its administrator for a new password.";
        return Err(unprocessable("no_mail", detail));
    }
    let email = Email::read(&given.email)?;
    accounts.count_mail(&email.key).await?;
    accounts.queue_mail(&MailKind::Reset, &email).await?;
    Ok(json(StatusCode::ACCEPTED, &json!({})))
}

/// Sets a new password by a link, and ends all sessions.
pub(crate) async fn set(State(accounts): State<Accounts>, request: Request) -> Result<Response> {
    accounts.count_address(accounts.client(&request)).await?;
    let given: Reset = document::read(request).await?;
    let key = Secret::shown(&given.key).ok_or_else(wrong_key)?.hash();
    let resets = &accounts.store.accounts.password_resets;
    // A hash costs too much for a link that counts no more.
    let user = resets.person(&key).await?.ok_or_else(wrong_key)?;
    let hash = accounts.passwords.hash(password::accept(&given.new_password)?).await?;
    if !resets.use_up(&key, &hash).await? {
        return Err(wrong_key());
    }
    tracing::info!(%user, "a forgotten password was set anew");
    Ok(no_content())
}

fn wrong_key() -> Error {
    forbidden("wrong_key", "This link was used already or has ended; ask for a new one.")
}
