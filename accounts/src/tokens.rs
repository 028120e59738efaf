//! `/api/v1/account/tokens`: the rights of programs, made and taken away by their person.

use axum::{
    Extension,
    extract::{Path, Request, State},
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use server::{Response, schema::time};
use store::{
    Timestamp,
    accounts::{NewToken, Token},
};
use utoipa::ToSchema;

use crate::{
    Accounts, Result,
    access::Scope,
    asker::Asker,
    document::{self, future, json, no_content},
    error::{unknown, unprocessable},
    name,
    page::{self, Page, PageParams},
    secret::Secret,
};

// A person's, so that a script that makes one for each run is noticed.
const MOST: usize = 50;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewToken)]
pub(crate) struct Wanted {
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    #[schema(min_items = 1)]
    scopes: Vec<Scope>,
    /// When it is to end; never, where it is not given.
    #[schema(schema_with = time)]
    expires: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Token)]
pub(crate) struct Shown {
    id: String,
    name: String,
    #[schema(value_type = Vec<Scope>)]
    scopes: Vec<String>,
    #[schema(schema_with = time)]
    created: String,
    #[schema(required, format = DateTime)]
    expires: Option<String>,
    #[schema(required, format = DateTime)]
    last_used: Option<String>,
    /// Shown once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TokenList)]
pub(crate) struct Listed {
    tokens: Vec<Shown>,
    /// The `cursor` of the next page; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// Lists a person's tokens, newest first.
#[utoipa::path(
    get, path = "/api/v1/account/tokens", tag = "account", operation_id = "listTokens",
    params(PageParams),
    responses((status = 200, body = Listed), (status = 400, description = "`invalid_query`, `invalid_limit`, `invalid_cursor`")),
)]
pub(crate) async fn list(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    page: Page,
) -> Result<Response> {
    let found = accounts.store.accounts.tokens.page(&asker.user.id, page.of()).await?;
    let next = page::next(&found);
    let tokens = found.entries.into_iter().map(Shown::from).collect();
    Ok(json(StatusCode::OK, &Listed { tokens, next }))
}

/// Makes a token and shows it, this once.
#[utoipa::path(
    post, path = "/api/v1/account/tokens", tag = "account", operation_id = "addToken",
    request_body = Wanted,
    responses(
        (status = 201, body = Shown),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 422, description = "`invalid_name`, `no_scope`, `too_many_tokens`"),
    ),
)]
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
    // Two requests at once may go beyond it by one, which harms nobody.
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
#[utoipa::path(
    delete, path = "/api/v1/account/tokens/{token}", tag = "account", operation_id = "removeToken",
    params(("token" = String, Path, description = "The token's id")),
    responses((status = 204), (status = 404, description = "`unknown_token`")),
)]
pub(crate) async fn remove(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
) -> Result<Response> {
    if !accounts.store.remove_token(&asker.user.id, &id).await? {
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
