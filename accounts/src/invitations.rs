//! `/api/v1/invitations`: links by which one person each may sign up, made by administrators.

use axum::{
    Extension,
    extract::{Path, Request, State},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use server::{Response, schema::time};
use store::{
    Timestamp,
    accounts::{Invitation, MailKind, NewInvitation},
};
use utoipa::ToSchema;

use crate::{
    Accounts, Result, SignUp,
    account::closed,
    asker::Asker,
    document::{self, json, no_content},
    email::Email,
    error::unknown,
    page::{self, Page, PageParams},
    secret::Secret,
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewInvitation)]
pub(crate) struct Wanted {
    /// The address that it is for alone.
    email: Option<String>,
}

/// A link by which one person may sign up.
#[derive(Serialize, ToSchema)]
#[schema(as = Invitation)]
pub(crate) struct Shown {
    id: String,
    #[schema(required)]
    email: Option<String>,
    #[schema(schema_with = time)]
    created: String,
    #[schema(schema_with = time)]
    expires: String,
}

/// An invitation when it is made.
#[derive(Serialize, ToSchema)]
#[schema(as = MadeInvitation)]
pub(crate) struct Added {
    #[serde(flatten)]
    invitation: Shown,
    /// A path of this server, shown this once; null where a mail brings one.
    #[schema(required)]
    link: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = InvitationList)]
pub(crate) struct Listed {
    invitations: Vec<Shown>,
    /// The `cursor` of the next page; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// Lists the invitations that have not been used, newest first.
#[utoipa::path(
    get, path = "/api/v1/invitations", tag = "administration", operation_id = "listInvitations",
    params(PageParams),
    responses((status = 200, body = Listed), (status = 400, description = "`invalid_query`, `invalid_limit`, `invalid_cursor`")),
)]
pub(crate) async fn list(State(accounts): State<Accounts>, page: Page) -> Result<Response> {
    let found = accounts.store.accounts.invitations.page(page.of()).await?;
    let next = page::next(&found);
    let invitations = found.entries.into_iter().map(Shown::from).collect();
    Ok(json(StatusCode::OK, &Listed { invitations, next }))
}

/// Makes a link.
#[utoipa::path(
    post, path = "/api/v1/invitations", tag = "administration", operation_id = "invite",
    request_body = Wanted,
    responses(
        (status = 201, body = Added),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`sign_up_closed`"),
        (status = 422, description = "`invalid_email`"),
    ),
)]
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
    let by_mail = email.filter(|_| accounts.config.mail.is_some());
    if let Some(email) = &by_mail {
        // The mail has a key of its own, in place of this one.
        accounts.queue_mail(&MailKind::Invitation(invitation.id.clone()), email).await?;
    }
    // A path of this server, as all links of the API are: it cannot know the name that people use for it.
    let link = by_mail.is_none().then(|| format!("/?invitation={}", key.text()));
    Ok(json(StatusCode::CREATED, &Added { invitation: invitation.into(), link }))
}

/// Withdraws a link.
#[utoipa::path(
    delete, path = "/api/v1/invitations/{invitation}", tag = "administration", operation_id = "withdrawInvitation",
    params(("invitation" = String, Path, description = "The invitation's id")),
    responses((status = 204), (status = 404, description = "`unknown_invitation`")),
)]
pub(crate) async fn remove(State(accounts): State<Accounts>, Path(id): Path<String>) -> Result<Response> {
    if !accounts.store.accounts.invitations.remove(&id).await? {
        return Err(unknown("unknown_invitation", "There is no such invitation; it may have been used."));
    }
    Ok(no_content())
}

impl From<Invitation> for Shown {
    fn from(invitation: Invitation) -> Self {
        Self {
            id: invitation.id,
            email: invitation.email,
            created: invitation.created_at.rfc3339(),
            expires: invitation.expires_at.rfc3339(),
        }
    }
}
