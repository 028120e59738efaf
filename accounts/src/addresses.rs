//! Addresses that a mail has proved: `/api/v1/sign-ups`, for an account that is to be made, and `/api/v1/account/email`, for one
//! that gets another address. Whether an address has an account, the mail alone says, to who reads it.

use std::time::Duration;

use axum::extract::{Request, State};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use server::Response;
use store::{
    Timestamp, UserId,
    accounts::{Email as Address, MailKind},
};
use utoipa::ToSchema;

use crate::{
    Accounts, Error, Result, SignUp,
    account::closed,
    asker::Asker,
    document::{self, json, no_content},
    email::Email,
    error::{forbidden, unprocessable},
    secret::Secret,
};

// Long enough for a mail that greylisting delays (RFC 6647), and for a mailbox that is read in the evening.
const LINK: Duration = Duration::from_hours(24);

/// The wish for an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewSignUp)]
pub(crate) struct Wanted {
    email: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ProvedAddress)]
pub(crate) struct Proof {
    /// That of the link.
    key: String,
}

/// Has a mail sent to an address, with a link that makes an account; to an address that has an account the mail says so.
#[utoipa::path(
    post, path = "/api/v1/sign-ups", tag = "session", operation_id = "askToSignUp",
    request_body = Wanted,
    responses(
        (status = 202, body = Object, content_type = "application/json"),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`sign_up_closed`"),
        (status = 422, description = "`no_mail`, `invalid_email`"),
        (status = 429, description = "`too_many_attempts`"),
    ),
)]
pub(crate) async fn ask(State(accounts): State<Accounts>, request: Request) -> Result<Response> {
    accounts.count_address(accounts.client(&request)).await?;
    let given: Wanted = document::read(request).await?;
    if accounts.config.sign_up != SignUp::Open {
        return Err(closed());
    }
    if accounts.config.mail.is_none() {
        let detail =
            "This site sends no mail; sign up by its OpenID provider, or ask its administrator for a link.";
        return Err(unprocessable("no_mail", detail));
    }
    let email = Email::read(&given.email)?;
    accounts.count_mail(&email.key).await?;
    accounts.prove(&email, None).await?;
    Ok(json(StatusCode::ACCEPTED, &json!({})))
}

/// Gives an account the address that a link of a mail has proved.
#[utoipa::path(
    put, path = "/api/v1/account/email", tag = "account", operation_id = "proveAddress",
    request_body = Proof,
    responses(
        (status = 204),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`wrong_key`"),
        (status = 429, description = "`too_many_attempts`"),
    ),
)]
pub(crate) async fn set(State(accounts): State<Accounts>, request: Request) -> Result<Response> {
    accounts.count_address(accounts.client(&request)).await?;
    let given: Proof = document::read(request).await?;
    let key = Secret::shown(&given.key).ok_or_else(wrong_key)?.hash();
    if !accounts.store.accounts.users.take_proved_address(&key).await? {
        return Err(wrong_key());
    }
    Ok(no_content())
}

impl Accounts {
    /// Returns whether a person has to prove an address before it is theirs. Another spelling of their own is theirs already.
    pub(crate) fn needs_proof(&self, asker: &Asker, email: &Email) -> bool {
        let own = Email::read(&asker.user.email).is_ok_and(|own| own.key == email.key);
        self.config.mail.is_some() && !own
    }

    /// Has a mail sent that proves an address, of a new account or of `user`. The work is the same for an address that has an
    /// account: the queue finds that out, which nobody waits for.
    pub(crate) async fn prove(&self, email: &Email, user: Option<&UserId>) -> Result<()> {
        let address = Address { shown: &email.shown, key: &email.key };
        let expires_at = Timestamp::now() + LINK;
        let link = self.store.accounts.invitations.prove(address, user, expires_at).await?;
        self.queue_mail(&MailKind::Invitation(link), email).await
    }
}

fn wrong_key() -> Error {
    let detail =
        "This link was used already or has ended; change your e-mail on the page of your account once more.";
    forbidden("wrong_key", detail)
}
