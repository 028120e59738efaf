//! `/api/v1/oidc`: signing in by an OpenID provider, with its code flow and PKCE. A person there is known by issuer and subject;
//! by a verified address only where that is configured.

mod attempt;
mod id_token;
mod provider;

use std::time::Duration;

use axum::{
    Extension,
    extract::{Request, State},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use server::{Problem, Response};
use store::accounts::{Identity, NewUser, Role, SignUp as Ground, SignedUp, User};
use url::form_urlencoded;
use utoipa::ToSchema;

pub use provider::{Provider, Registration};

use crate::{
    Accounts, Error, Result, SignUp,
    account::Confirmation,
    asker::{Asker, Evidence},
    document::{json, no_content},
    email::Email,
    error::unprocessable,
    name,
    secret::Secret,
    session::Browser,
};
use attempt::{Begun, Purpose};
use id_token::Claims;

// A person types their password and a code there.
const LIFETIME: Duration = Duration::from_mins(10);
const ACCOUNT: &str = "/account";

#[derive(Serialize, ToSchema)]
#[schema(as = LinkedIdentity)]
pub(crate) struct Shown {
    linked: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = IdentityLink)]
pub(crate) struct Link {
    /// The address at the provider that the browser goes on to.
    url: String,
}

/// Why somebody whom the provider knows is not signed in here: a word for the page.
type Refusal = &'static str;

/// Sends a browser to the OpenID provider.
#[utoipa::path(
    get, path = "/api/v1/oidc/sign-in", tag = "session", operation_id = "beginOpenIdSignIn",
    params(("next" = Option<String>, Query, description = "The page of this site to go on to")),
    responses(
        (
            status = 303, description = "To the provider",
            headers(
                ("Location" = String, description = "The provider's page"),
                ("Set-Cookie" = String, description = "The sign-in on its way"),
            ),
        ),
        (status = 403, description = "`insecure_line`"),
        (status = 422, description = "`no_provider`"),
        (status = 429, description = "`too_many_attempts`"),
        (status = 502, description = "`provider_unreachable`"),
    ),
)]
pub(crate) async fn sign_in(State(accounts): State<Accounts>, request: Request) -> Result<Response> {
    // Each sign-in may have us ask the provider; one client must not have it asked without end.
    accounts.count_address(accounts.client(&request)).await?;
    let next = query(&request, "next").unwrap_or_default();
    let begun = Begun::new(Purpose::SignIn, &next);
    let url = accounts.authorization_url(&begun).await?;
    let mut response = see_other(&url)?;
    let cookie = accounts.line(&request).give_attempt(&begun.cookie(), LIFETIME)?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// Takes a browser that comes back from the OpenID provider.
#[utoipa::path(
    get, path = "/api/v1/oidc/callback", tag = "session", operation_id = "endOpenIdSignIn",
    params(
        ("code" = Option<String>, Query, description = "The provider's; absent where the person said no"),
        ("state" = Option<String>, Query, description = "That of the sign-in on its way"),
    ),
    responses(
        (
            status = 303, description = "To a page of this site; where it failed, `provider` in its query says why",
            headers(
                ("Location" = String, description = "The page"),
                ("Set-Cookie" = String, description = "The session"),
            ),
        ),
        (status = 403, description = "`insecure_line`"),
        (status = 422, description = "`no_provider`"),
        (status = 429, description = "`too_many_attempts`"),
        (status = 503, description = "`busy`"),
    ),
)]
pub(crate) async fn callback(State(accounts): State<Accounts>, request: Request) -> Result<Response> {
    accounts.count_address(accounts.client(&request)).await?;
    let line = accounts.line(&request);
    let browser = Browser::of(&accounts, &request)?;
    let (code, state) = (query(&request, "code"), query(&request, "state"));
    let begun = line.attempt(request.headers()).as_deref().and_then(Begun::read);
    let begun = begun.filter(|begun| state.is_some_and(|state| begun.is_answered_by(&state)));
    let ended = match (begun, code) {
        (Some(begun), Some(code)) => {
            let claims = accounts.provider()?.claims(&code, begun.attempt()).await;
            match (claims, begun.purpose) {
                (Ok(claims), Purpose::SignIn) => accounts.enter(&browser, &claims, &begun.next).await?,
                (Ok(claims), Purpose::Link) => {
                    // The provider's page sends the browser here, so the guard takes no cookie for evidence. State and cookie
                    // have shown that this very browser began it.
                    let evidence = line.secret(request.headers()).map_or(Evidence::Nothing, Evidence::Cookie);
                    accounts.link(accounts.asker(&evidence).await?, &claims).await?
                }
                (Err(error), _) => {
                    tracing::warn!(error, "a sign-in by the OpenID provider failed");
                    refused("failed", begun.purpose)?
                }
            }
        }
        // The person refused there, came too late, or was sent here by another site.
        (Some(begun), None) => refused("cancelled", begun.purpose)?,
        (None, _) => refused("expired", Purpose::SignIn)?,
    };
    let mut response = ended;
    // A sign-in ends with its first answer, whatever that is: its state counts once.
    response.headers_mut().append(header::SET_COOKIE, line.give_attempt("", Duration::ZERO)?);
    Ok(response)
}

/// Shows whether the account is linked to a person at the provider.
#[utoipa::path(
    get, path = "/api/v1/account/identity", tag = "account", operation_id = "getIdentity",
    responses((status = 200, body = Shown)),
)]
pub(crate) async fn show(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
) -> Result<Response> {
    let linked = match &accounts.config.oidc {
        Some(provider) => accounts.store.accounts.identities.has(&asker.user.id, provider.issuer()).await?,
        None => false,
    };
    Ok(json(StatusCode::OK, &Shown { linked }))
}

/// Begins to link the account to a person at the provider: the address that the browser goes on to.
#[utoipa::path(
    post, path = "/api/v1/account/identity", tag = "account", operation_id = "beginIdentityLink",
    request_body = Confirmation,
    responses(
        (status = 200, body = Link, headers(("Set-Cookie" = String, description = "The link on its way"))),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`wrong_password`, `insecure_line`"),
        (status = 422, description = "`no_provider`"),
        (status = 429, description = "`too_many_attempts`"),
        (status = 502, description = "`provider_unreachable`"),
        (status = 503, description = "`busy`"),
    ),
)]
pub(crate) async fn begin_link(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    request: Request,
) -> Result<Response> {
    let line = accounts.line(&request);
    accounts.read_confirmation(&asker, request).await?;
    let begun = Begun::new(Purpose::Link, ACCOUNT);
    let url = accounts.authorization_url(&begun).await?;
    let mut response = json(StatusCode::OK, &Link { url });
    response.headers_mut().append(header::SET_COOKIE, line.give_attempt(&begun.cookie(), LIFETIME)?);
    Ok(response)
}

/// Takes the link to a person at the provider away.
#[utoipa::path(
    delete, path = "/api/v1/account/identity", tag = "account", operation_id = "unlinkIdentity",
    request_body = Confirmation,
    responses(
        (status = 204),
        (status = 400, description = "`invalid_document`, `body_too_large`"),
        (status = 403, description = "`wrong_password`"),
        (status = 422, description = "`no_provider`"),
        (status = 429, description = "`too_many_attempts`"),
        (status = 503, description = "`busy`"),
    ),
)]
pub(crate) async fn unlink(
    State(accounts): State<Accounts>,
    Extension(asker): Extension<Asker>,
    request: Request,
) -> Result<Response> {
    accounts.read_confirmation(&asker, request).await?;
    let issuer = accounts.provider()?.issuer();
    accounts.store.accounts.identities.unlink(&asker.user.id, issuer).await?;
    Ok(no_content())
}

impl Accounts {
    fn provider(&self) -> Result<&Provider> {
        let detail = "This site has no OpenID provider; sign in by password.";
        self.config.oidc.as_ref().ok_or_else(|| unprocessable("no_provider", detail))
    }

    async fn authorization_url(&self, begun: &Begun) -> Result<String> {
        let url = self.provider()?.authorization_url(begun.attempt()).await;
        url.map_err(|error| {
            tracing::error!(error, "the OpenID provider cannot be reached");
            let detail = "The OpenID provider does not answer; try again, or sign in by password.";
            Problem::new(StatusCode::BAD_GATEWAY, "provider_unreachable", detail).into()
        })
    }

    async fn enter(&self, browser: &Browser, claims: &Claims, next: &str) -> Result<Response> {
        match self.person(claims).await? {
            Ok(user) => {
                let mut response = see_other(next)?;
                response.headers_mut().append(header::SET_COOKIE, self.begin_session(browser, &user).await?);
                Ok(response)
            }
            Err(refusal) => refused(refusal, Purpose::SignIn),
        }
    }

    /// Returns the account of somebody whom the provider names.
    async fn person(&self, claims: &Claims) -> Result<std::result::Result<User, Refusal>> {
        let provider = self.provider()?;
        let identity = Identity { issuer: provider.issuer(), subject: &claims.subject };
        let accounts = &self.store.accounts;
        if let Some(user) = accounts.identities.user(identity).await? {
            return Ok(if user.disabled { Err("disabled") } else { Ok(user) });
        }
        // An address that nobody has verified is whatever somebody typed there.
        let email =
            claims.email.as_deref().filter(|_| claims.email_verified).and_then(|text| Email::read(text).ok());
        let Some(email) = email else { return Ok(Err("unknown")) };
        let user = match accounts.users.by_email(&email.key).await? {
            Some(user) if provider.links_by_email() => user,
            None if self.config.sign_up == SignUp::Open => match self.sign_up_by(claims, &email).await? {
                Some(user) => user,
                None => return Ok(Err("unknown")),
            },
            _ => return Ok(Err("unknown")),
        };
        if user.disabled {
            return Ok(Err("disabled"));
        }
        // The account may have another identity there by now, which its person has chosen.
        let has = accounts.identities.has(&user.id, provider.issuer()).await?;
        if has || !accounts.identities.link(&user.id, identity).await? {
            return Ok(Err("unknown"));
        }
        tracing::info!(user = %user.id, "an account was linked by its address to the OpenID provider");
        Ok(Ok(user))
    }

    /// Makes an account, with a password that nobody knows, where anybody may make one.
    async fn sign_up_by(&self, claims: &Claims, email: &Email) -> Result<Option<User>> {
        let shown = claims.name.as_deref().and_then(|text| name::read(text).ok());
        let local = || email.shown.split('@').next().unwrap_or_default().to_owned();
        let name = shown.unwrap_or_else(local);
        let password = self.passwords.hash(Secret::random().text().to_owned()).await?;
        let new = NewUser { name: &name, email: &email.shown, email_key: &email.key, password: &password };
        Ok(match self.store.accounts.users.sign_up(&new, Ground::Granted(Role::User)).await? {
            SignedUp::Created(user) => Some(user),
            SignedUp::Taken | SignedUp::Refused => None,
        })
    }

    async fn link(&self, asker: Option<Asker>, claims: &Claims) -> Result<Response> {
        let Some(asker) = asker else { return refused("expired", Purpose::SignIn) };
        let identity = Identity { issuer: self.provider()?.issuer(), subject: &claims.subject };
        if !self.store.accounts.identities.link(&asker.user.id, identity).await? {
            return refused("taken", Purpose::Link);
        }
        tracing::info!(user = %asker.user.id, "an account was linked to the OpenID provider");
        see_other(ACCOUNT)
    }
}

fn refused(word: Refusal, purpose: Purpose) -> Result<Response> {
    let page = match purpose {
        Purpose::SignIn => "/sign-in",
        Purpose::Link => ACCOUNT,
    };
    see_other(&format!("{page}?provider={word}"))
}

fn see_other(location: &str) -> Result<Response> {
    let mut response = no_content();
    *response.status_mut() = StatusCode::SEE_OTHER;
    let location = HeaderValue::try_from(location).map_err(|e| Error::Code(e.to_string()))?;
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

fn query(request: &Request, name: &str) -> Option<String> {
    let pairs = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
