//! People, sessions, tokens and invitations as the API shows them, and documents going in and out.

use axum::{body::Body, extract::Request};
use http::{StatusCode, header};
use serde::{Serialize, de::DeserializeOwned};
pub(crate) use server::document::{json, no_content};
use server::{Problem, body, schema};
use store::{Timestamp, accounts, accounts::Role};
use utoipa::{ToSchema, openapi::Object};

use crate::{Error, Result};

// Far above the longest document of ours; a million characters of a password end here, before any hash.
pub(crate) const MOST: u64 = 16 * 1024;

/// A person, as they see themselves and as administrators do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct User {
    id: String,
    name: String,
    email: String,
    #[schema(schema_with = roles)]
    role: &'static str,
}

/// A person, with what else is known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Account {
    #[serde(flatten)]
    user: User,
    #[schema(schema_with = schema::time)]
    created: String,
    disabled: bool,
    /// Null where the limit for everybody counts.
    #[schema(required)]
    quota_bytes: Option<u64>,
    #[schema(required)]
    quota_minutes: Option<u64>,
    /// The number of edits so far, which is its entity tag, in quotes.
    revision: u64,
}

fn roles() -> Object {
    schema::words(Role::ALL.map(Role::as_str))
}

impl From<&accounts::User> for User {
    fn from(user: &accounts::User) -> Self {
        Self {
            id: user.id.to_string(),
            name: user.name.clone(),
            email: user.email.clone(),
            role: user.role.as_str(),
        }
    }
}

impl From<&accounts::User> for Account {
    fn from(user: &accounts::User) -> Self {
        Self {
            user: user.into(),
            created: user.created_at.rfc3339(),
            disabled: user.disabled,
            quota_bytes: user.quota.bytes,
            quota_minutes: user.quota.minutes,
            revision: user.revision,
        }
    }
}

/// Reads a document of a request.
pub(crate) async fn read<T: DeserializeOwned>(request: Request) -> Result<T> {
    let kind =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    // A page of another site may send text/plain and forms without a preflight (Fetch, CORS-safelisted), but no JSON.
    if kind != "application/json" && kind != "application/merge-patch+json" {
        let detail = "Documents come as application/json.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail).into());
    }
    read_body(request.into_body()).await
}

async fn read_body<T: DeserializeOwned>(body: Body) -> Result<T> {
    let bytes = body::collect(body, MOST).await?;
    serde_json::from_slice(&bytes).map_err(|e| invalid(e.to_string()))
}

pub(crate) fn invalid(detail: impl Into<String>) -> Error {
    Problem::new(StatusCode::BAD_REQUEST, "invalid_document", detail.into()).into()
}

/// Reads when something is to end: a time that is still to come.
pub(crate) fn future(text: &str) -> Result<Timestamp> {
    Timestamp::future(text).ok_or_else(|| {
        invalid(format!("\"{text}\" is no time that is still to come, such as 2030-01-31T12:00:00Z"))
    })
}
