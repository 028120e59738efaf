//! `/api/v1/account/tokens`: the rights of programs, made and taken away by their person.

use axum::{
    Extension,
    extract::{Path, Request, State},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use server::Response;
use store::{
    Timestamp,
    accounts::{NewToken, Token},
};

use crate::{
    Accounts, Result,
    access::Scope,
    asker::Asker,
    document::{self, future, json, no_content},
    error::{unknown, unprocessable},
    name,
    secret::Secret,
};

// A person's, so that a script that makes one for each run is noticed.
const MOST: usize = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    name: String,
    scopes: Vec<Scope>,
    expires: Option<String>,
}

#[derive(Serialize)]
struct Shown {
    id: String,
    name: String,
    scopes: Vec<String>,
    created: String,
    expires: Option<String>,
    last_used: Option<String>,
    /// Shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// Lists a person's tokens.
pub(crate) async fn list(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
) -> Result<Response> {
    let tokens = accounts.store.accounts.tokens.of(&asker.user.id).await?;
    let tokens: Vec<Shown> = tokens.into_iter().map(Shown::from).collect();
    Ok(json(StatusCode::OK, &json!({ "tokens": tokens })))
}

/// Makes a token and shows it, this once.
pub(crate) async fn add(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    request: Request,
) -> Result<Response> {
    let mut wanted: Wanted = document::read(request).await?;
    let name = name::read(&wanted.name)?;
    wanted.scopes.sort_unstable();
    wanted.scopes.dedup();
    if wanted.scopes.is_empty() {
        return Err(unprocessable("no_scope", "A token has at least one scope: read, upload or manage."));
    }
    let expires_at = wanted.expires.as_deref().map(future).transpose()?;
    let tokens = &accounts.store.accounts.tokens;
    if tokens.of(&asker.user.id).await?.len() >= MOST {
        return Err(unprocessable("too_many_tokens", format!("An account has at most {MOST} tokens.")));
    }
    let secret = Secret::random();
    let scopes = wanted.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ");
    let new =
        NewToken { user: &asker.user.id, name: &name, secret: &secret.hash(), scopes: &scopes, expires_at };
    let mut shown = Shown::from(tokens.add(&new).await?);
    shown.token = Some(secret.token());
    Ok(json(StatusCode::CREATED, &shown))
}

/// Takes a token away.
pub(crate) async fn remove(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
) -> Result<Response> {
    if !accounts.store.accounts.tokens.remove(&asker.user.id, &id).await? {
        return Err(unknown("unknown_token", "There is no such token."));
    }
    Ok(no_content())
}

impl From<Token> for Shown {
    fn from(token: Token) -> Self {
        Self {
            id: token.id,
            name: token.name,
            scopes: token.scopes,
            created: token.created_at.rfc3339(),
            expires: token.expires_at.map(Timestamp::rfc3339),
            last_used: token.last_used.map(Timestamp::rfc3339),
            token: None,
        }
    }
}
