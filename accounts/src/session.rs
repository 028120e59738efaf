//! `/api/v1/session` and a person's sessions: signing in and out, and ending sessions elsewhere.

use axum::{
    Extension,
    extract::{Path, Request, State},
    response::IntoResponse,
};
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use server::{Problem, Response, schema::time};
use store::{
    Timestamp,
    accounts::{NewSession, Rehash, User},
};
use utoipa::ToSchema;

use crate::{
    Accounts, Error, Result, SignUp,
    asker::Asker,
    cookie::Line,
    document::{self, json, no_content},
    email::Email,
    error::unknown,
    page::{self, Page, PageParams},
    password::Verdict,
    secret::Secret,
};

// A client's own text, stored with each session for people to tell their browsers apart.
const MOST_USER_AGENT: usize = 200;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Credentials {
    email: String,
    password: String,
    /// Of the second factor, where the account has one.
    code: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Session {
    id: String,
    #[schema(schema_with = time)]
    created: String,
    #[schema(schema_with = time)]
    last_seen: String,
    user_agent: String,
    /// Whether it is the one that asks.
    current: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SessionList)]
pub(crate) struct Listed {
    sessions: Vec<Session>,
    /// The `cursor` of the next page; null at the end.
    #[schema(required)]
    next: Option<String>,
}

/// Whether there are accounts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = AccountsSetting)]
enum Setting {
    On,
    Off,
}

/// The people who may make accounts.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SignUpSetting)]
enum SignUpSetting {
    Closed,
    Invitation,
    Open,
}

/// The person who asks, and the accounts that can be made.
#[derive(Serialize, ToSchema)]
#[schema(as = CurrentSession)]
pub(crate) struct Shown {
    accounts: Setting,
    /// Whether the next account is the first, the administrator's.
    first_account: bool,
    sign_up: SignUpSetting,
    /// Whether a forgotten password has a link sent.
    mail: bool,
    /// Whether people sign in by an OpenID provider, too.
    openid: bool,
    /// Null for a stranger.
    #[schema(required)]
    user: Option<document::User>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct SignedIn {
    user: document::User,
}

/// Shows who is signed in, and whether accounts can be made.
#[utoipa::path(
    get, path = "/api/v1/session", tag = "session", operation_id = "getSession",
    responses((status = 200, body = Shown)),
)]
pub(crate) async fn show(
    State(accounts): State<Accounts>,
    asker: Option<Extension<Asker>>,
) -> Result<Response> {
    let sign_up = match accounts.config.sign_up {
        SignUp::Closed => SignUpSetting::Closed,
        SignUp::Invitation => SignUpSetting::Invitation,
        SignUp::Open => SignUpSetting::Open,
    };
    let user = asker.as_ref().map(|asker| document::User::from(&asker.user));
    // Somebody who is signed in has an account, so no statement is needed to know that there is one.
    let first_account = user.is_none() && !accounts.store.accounts.users.any().await?;
    let mail = accounts.config.mail.is_some();
    let openid = accounts.config.oidc.is_some();
    let shown = Shown { accounts: Setting::On, first_account, sign_up, mail, openid, user };
    Ok(json(StatusCode::OK, &shown))
}

/// Signs in. An unknown address, a wrong password and a disabled account have one answer, after the same work.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session", operation_id = "signIn",
    request_body = Credentials,
    responses(
        (status = 200, body = SignedIn, headers(("Set-Cookie" = String, description = "The session"))),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 401, description = "`wrong_credentials`, `second_factor_required`"),
        (status = 403, description = "`insecure_line`, `wrong_code`"),
        (status = 429, description = "`too_many_attempts`"),
        (status = 503, description = "`busy`"),
    ),
)]
pub(crate) async fn sign_in(State(accounts): State<Accounts>, request: Request) -> Result<Response> {
    accounts.count_address(accounts.client(&request)).await?;
    let browser = Browser::of(&accounts, &request)?;
    let given: Credentials = document::read(request).await?;
    let email = Email::read(&given.email);
    // A text that is no address counts as well, and finds nobody after the same work.
    let key = email.as_ref().map_or(given.email.as_str(), |email| email.key.as_str());
    accounts.count_account(key).await?;
    let users = &accounts.store.accounts.users;
    let user = users.by_email(key).await?;
    let stored = user.as_ref().map(|user| user.password.as_str());
    let verdict = accounts.passwords.compare(&given.password, stored).await?;
    let Some(user) = user.filter(|user| !user.disabled && verdict != Verdict::Wrong) else {
        return Err(wrong_credentials());
    };
    // Behind the password: in front of it, the question for a code would show that there is such an account.
    accounts.take_code(&user, given.code.as_deref()).await?;
    if let Verdict::RightWith(after) = &verdict {
        users.rehash(&user.id, Rehash { before: &user.password, after }).await?;
    }
    accounts.signed_in(&browser, &user, StatusCode::OK).await
}

/// Signs out. A browser without a session is signed out already.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "session", operation_id = "signOut",
    responses((status = 204)),
)]
pub(crate) async fn sign_out(
    State(accounts): State<Accounts>,
    asker: Option<Extension<Asker>>,
    request: Request,
) -> Result<Response> {
    let line = accounts.line(&request);
    if let Some(Extension(asker)) = asker
        && let Some(id) = asker.session()
    {
        accounts.store.end_session(&asker.user.id, id).await?;
    }
    let mut response = no_content();
    // An open line was given no cookie, and writing one for it is an error.
    if line != Line::Open {
        response.headers_mut().insert(header::SET_COOKIE, line.take_away()?);
    }
    Ok(response)
}

/// Lists a person's sessions, the last used first.
#[utoipa::path(
    get, path = "/api/v1/account/sessions", tag = "account", operation_id = "listSessions",
    params(PageParams),
    responses((status = 200, body = Listed), (status = 400, description = "`invalid_query`, `invalid_limit`, `invalid_cursor`")),
)]
pub(crate) async fn list(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    page: Page,
) -> Result<Response> {
    let (sessions, idle_since) = (&accounts.store.accounts.sessions, accounts.idle_since());
    let found = sessions.page(&asker.user.id, idle_since, page.of()).await?;
    let next = page::next(&found);
    let shown = |session: store::accounts::Session| Session {
        current: asker.session() == Some(session.id.as_str()),
        created: session.created_at.rfc3339(),
        last_seen: session.last_seen.rfc3339(),
        user_agent: session.user_agent,
        id: session.id,
    };
    let sessions = found.entries.into_iter().map(shown).collect();
    Ok(json(StatusCode::OK, &Listed { sessions, next }))
}

/// Ends one of a person's sessions.
#[utoipa::path(
    delete, path = "/api/v1/account/sessions/{session}", tag = "account", operation_id = "endSession",
    params(("session" = String, Path, description = "The session's id")),
    responses((status = 204), (status = 404, description = "`unknown_session`")),
)]
pub(crate) async fn end(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    Path(id): Path<String>,
) -> Result<Response> {
    if !accounts.store.end_session(&asker.user.id, &id).await? {
        return Err(unknown("unknown_session", "There is no such session; it may have ended."));
    }
    Ok(no_content())
}

/// The browser that is about to be signed in.
pub(crate) struct Browser {
    line: Line,
    user_agent: String,
    /// Its session so far, which a new one replaces.
    before: Option<Secret>,
}

impl Browser {
    pub(crate) fn of(accounts: &Accounts, request: &Request) -> Result<Self> {
        let line = accounts.line(request);
        // A browser that can get no cookie is refused before anything is done for it.
        line.take_away()?;
        let named = request.headers().get(header::USER_AGENT).map(HeaderValue::to_str);
        let user_agent = named.and_then(std::result::Result::ok).unwrap_or_default();
        Ok(Self {
            line,
            user_agent: user_agent.chars().take(MOST_USER_AGENT).collect(),
            before: line.secret(request.headers()),
        })
    }
}

impl Accounts {
    /// Begins a session and answers with its person.
    pub(crate) async fn signed_in(
        &self,
        browser: &Browser,
        user: &User,
        status: StatusCode,
    ) -> Result<Response> {
        let cookie = self.begin_session(browser, user).await?;
        let mut response = json(status, &SignedIn { user: user.into() });
        response.headers_mut().insert(header::SET_COOKIE, cookie);
        Ok(response)
    }

    /// Begins a session and returns its cookie. The secret is a new one each time, so that nobody can have planted it.
    pub(crate) async fn begin_session(&self, browser: &Browser, user: &User) -> Result<HeaderValue> {
        let (sessions, secret) = (&self.store.accounts.sessions, Secret::random());
        let cookie = browser.line.give(&secret, self.config.lifetime)?;
        // A browser keeps one cookie: its session before would stay valid, and nobody would end it.
        if let Some(before) = &browser.before
            && let Some(found) = sessions.find(&before.hash(), self.idle_since()).await?
        {
            self.store.end_session(&found.user.id, &found.session.id).await?;
        }
        let new = NewSession {
            user: &user.id,
            secret: &secret.hash(),
            user_agent: &browser.user_agent,
            expires_at: Timestamp::now() + self.config.lifetime,
        };
        sessions.begin(&new).await?;
        Ok(cookie)
    }
}

fn wrong_credentials() -> Error {
    let detail = "The address or the password is wrong, or the account may not sign in.";
    Problem::new(StatusCode::UNAUTHORIZED, "wrong_credentials", detail).into()
}

/// Answers `/api/v1/session` where there are no accounts.
pub async fn absent() -> axum::response::Response {
    let document = Shown {
        accounts: Setting::Off,
        first_account: false,
        sign_up: SignUpSetting::Closed,
        mail: false,
        openid: false,
        user: None,
    };
    json(StatusCode::OK, &document).into_response()
}
