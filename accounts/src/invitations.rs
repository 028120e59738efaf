//! `/api/v1/invitations`: links by which one person each may sign up, made by administrators.

use axum::{
    Extension,
    extract::{Path, Request, State},
};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use server::Response;
use store::{
    Timestamp,
    accounts::{Invitation, MailKind, NewInvitation},
};

use crate::{
    Accounts, Result, SignUp,
    account::closed,
    asker::Asker,
    document::{self, json, no_content},
    email::Email,
    error::unknown,
    secret::Secret,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    email: Option<String>,
}

/// Lists the invitations that have not been used.
pub(crate) async fn list(State(accounts): State<Accounts>) -> Result<Response> {
    let invitations = accounts.store.accounts.invitations.list().await?;
    let invitations: Vec<Value> = invitations.iter().map(shown).collect();
    Ok(json(StatusCode::OK, &json!({ "invitations": invitations })))
}

/// Makes a link.
pub(crate) async fn add(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    request: Request,
) -> Result<Response> {
    if accounts.config.sign_up == SignUp::Closed {
        return Err(closed());
    }
    let wanted: Wanted = document::read(request).await?;
    let email = wanted.email.as_deref().filter(|text| !text.is_empty()).map(Email::read).transpose()?;
    let key = Secret::random();
    let new = NewInvitation {
        invited_by: &asker.user.id,
        secret: &key.hash(),
        email: email.as_ref().map(|email| email.key.as_str()),
        expires_at: Timestamp::now() + accounts.config.invitation,
    };
    let invitation = accounts.store.accounts.invitations.add(&new).await?;
    let mut document = shown(&invitation);
    if let Some(email) = email.filter(|_| accounts.config.mail.is_some()) {
        // The mail has a key of its own, in place of this one.
        accounts.queue_mail(&MailKind::Invitation(invitation.id), &email).await?;
        document["link"] = Value::Null;
        return Ok(json(StatusCode::CREATED, &document));
    }
    // A path of this server, as all links of the API are: it cannot know the name that people use for it.
    document["link"] = json!(format!("/?invitation={}", key.text()));
    Ok(json(StatusCode::CREATED, &document))
}

/// Withdraws a link.
pub(crate) async fn remove(State(accounts): State<Accounts>, Path(id): Path<String>) -> Result<Response> {
    if !accounts.store.accounts.invitations.remove(&id).await? {
        return Err(unknown("unknown_invitation", "There is no such invitation; it may have been used."));
    }
    Ok(no_content())
}

fn shown(invitation: &Invitation) -> Value {
    json!({
        "id": invitation.id,
        "email": invitation.email,
        "created": invitation.created_at.rfc3339(),
        "expires": invitation.expires_at.rfc3339(),
    })
}
