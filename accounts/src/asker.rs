//! The asker: the person behind a request, by a session's cookie or a token.

use axum::extract::Request;
use http::{HeaderValue, StatusCode, header};
use server::{Problem, site::Sender};
use store::{Timestamp, Viewer, accounts::User};

use crate::{Accounts, Result, access::Scope, secret::Secret};

// A statement for each request would be one for nothing most of the time.
const SEEN_EVERY_MICROS: i64 = 60_000_000;

/// The person behind a request.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) user: User,
    pub(crate) by: By,
    /// The end of that, where it has one.
    pub(crate) ends_at: Option<Timestamp>,
}

/// The means by which a person is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// A browser's session, by its id.
    Session(String),
    /// A token.
    Token {
        /// Its name in lists.
        id: String,
        /// The scopes of what it may do.
        scopes: Vec<Scope>,
    },
}

impl Asker {
    /// Returns the viewer for whom videos are judged.
    pub(crate) fn viewer(&self) -> Viewer {
        self.user.viewer()
    }

    /// Returns the id of the session; a token has none.
    pub(crate) fn session(&self) -> Option<&str> {
        match &self.by {
            By::Session(id) => Some(id),
            By::Token { .. } => None,
        }
    }
}

/// The evidence in a request of who sends it.
pub(crate) enum Evidence {
    Authorization(HeaderValue),
    Cookie(Secret),
    Nothing,
}

impl Evidence {
    /// Returns the credential: nobody else has it, and the database has a hash of it alone.
    pub(crate) fn credential(&self) -> &[u8] {
        match self {
            Self::Authorization(field) => field.as_bytes(),
            Self::Cookie(secret) => secret.text().as_bytes(),
            Self::Nothing => &[],
        }
    }
}

impl Accounts {
    /// Reads the evidence in a request.
    pub(crate) fn evidence(&self, request: &Request) -> Evidence {
        // The field goes before the cookie: a program set it for this request, and a browser sends cookies with any.
        if let Some(value) = request.headers().get(header::AUTHORIZATION) {
            return Evidence::Authorization(value.clone());
        }
        // A page of another site sends the cookie along where `SameSite` lets it, and must not act by it.
        if self.config.site.sender(request) == Sender::Foreign {
            return Evidence::Nothing;
        }
        self.line(request).secret(request.headers()).map_or(Evidence::Nothing, Evidence::Cookie)
    }

    /// Finds out who sends a request; `None` is a stranger.
    pub(crate) async fn asker(&self, evidence: &Evidence) -> Result<Option<Asker>> {
        match evidence {
            Evidence::Authorization(value) => self.by_token(value).await.map(Some),
            Evidence::Cookie(secret) => self.by_session(secret).await,
            Evidence::Nothing => Ok(None),
        }
    }

    async fn by_session(&self, secret: &Secret) -> Result<Option<Asker>> {
        let sessions = &self.store.accounts.sessions;
        let Some(found) = sessions.find(&secret.hash(), self.idle_since()).await? else { return Ok(None) };
        if is_old(Some(found.session.last_seen)) {
            sessions.touch(&found.session.id).await?;
        }
        let ends_at = Some(found.session.expires_at);
        Ok(Some(Asker { user: found.user, by: By::Session(found.session.id), ends_at }))
    }

    async fn by_token(&self, field: &HeaderValue) -> Result<Asker> {
        let tokens = &self.store.accounts.tokens;
        let shown = field.to_str().ok().and_then(|text| text.split_once(' '));
        // RFC 9110 §11.1: the scheme is compared without regard to case.
        let shown = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let secret = shown.and_then(|(_, token)| Secret::shown(token.trim()));
        let found = match secret {
            Some(secret) => tokens.find(&secret.hash()).await?,
            None => None,
        };
        let found = found.ok_or_else(invalid_token)?;
        if is_old(found.token.last_used) {
            tokens.touch(&found.token.id).await?;
        }
        let scopes = found.token.scopes.iter().filter_map(|word| Scope::read(word)).collect();
        let ends_at = found.token.expires_at;
        Ok(Asker { user: found.user, by: By::Token { id: found.token.id, scopes }, ends_at })
    }
}

fn is_old(seen: Option<Timestamp>) -> bool {
    seen.is_none_or(|seen| Timestamp::now().0 - seen.0 > SEEN_EVERY_MICROS)
}

// A token that is not (or no longer) one is an error everywhere: taken for a stranger's, its request would miss what the
// program expects without a word.
fn invalid_token() -> Problem {
    let detail = "The token in Authorization is none of this server's, or it has ended; make a new one on the account's page.";
    // RFC 6750 §3.1.
    let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    Problem::new(StatusCode::UNAUTHORIZED, "invalid_token", detail)
        .header(header::WWW_AUTHENTICATE, challenge)
}
