//! Admission: a request's ticket or signature, its target, and whether the cache has a part in it. A ticket is verified on every
//! request, hits included, and goes no further: an origin's log should not have it. Leaves lookups to `cache`.

use std::{borrow::Cow, time::SystemTime};

use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use server::{
    Problem, Request, has_any,
    ticket::{self, Keys, Refusal, Ticket},
};

use crate::{
    Config,
    cache_status::Forward,
    key::{self, Invalid, Target},
    shown::{Carrier, ShownTicket},
    signature::{self, Addressee, Message, Verifier},
};

/// The rules that a request passes in front of the cache.
pub(crate) struct Admission {
    scheme: &'static str,
    access: Access,
    verifier: Option<Verifier>,
    bypass: Vec<String>,
}

/// The reason why a request is refused before the cache.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error(transparent)]
    Ticket(#[from] Refusal),
    #[error(transparent)]
    Target(#[from] Invalid),
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Ticket(refusal) => refusal.into(),
            Refused::Target(invalid) => {
                let detail = format!("This cannot be answered: {invalid}.");
                Self::new(StatusCode::BAD_REQUEST, "invalid_request", detail)
            }
        }
    }
}

impl Admission {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            scheme: config.scheme,
            access: config.access.clone(),
            verifier: config.peer_keys.clone().map(|keys| {
                let id = config.peers.as_ref().map(|peers| peers.id.clone());
                Verifier::new(keys, id.unwrap_or_default())
            }),
            bypass: config.bypass.clone(),
        }
    }

    /// Decides what a request asks for, and whether it may.
    ///
    /// After this a signature is on a request only when it is right. Then the request comes from a peer, which has verified
    /// its client's ticket, so it is not verified again.
    pub(crate) fn admit(
        &self,
        request: &mut Request,
        date: impl Fn() -> SystemTime,
    ) -> Result<Target, Refused> {
        let mut field = None;
        if has_any(request.headers(), &[signature::NAME, ticket::SHOWN]) {
            let is_internal = self.is_internal(request, Addressee::This, date());
            field = request.headers_mut().remove(ticket::SHOWN);
            if is_internal {
                if let Some(ticket) = field.as_ref().and_then(ShownTicket::of_peer) {
                    request.extensions_mut().insert(ticket);
                }
                return Ok(Target::decode(self.scheme, request.uri(), request.headers(), None)?);
            }
            // A wrong signature must not make a client's request look like a peer's further on.
            request.headers_mut().remove(signature::NAME);
        }
        let opened = self.access.check(request.uri().path(), &date)?;
        let path = opened.as_ref().map(|opened| &*opened.path);
        let target = Target::decode(self.scheme, request.uri(), request.headers(), path)?;
        let shown = match opened {
            Some(opened) => ShownTicket::new(&opened.ticket, Carrier::Path),
            None => field.and_then(|field| self.access.verify_field(&field, target.path(), date())),
        };
        if let Some(shown) = shown {
            request.extensions_mut().insert(shown);
        }
        Ok(target)
    }

    /// Returns whether a request is the origin's or a peer's.
    pub(crate) fn is_internal(&self, request: &Request, addressee: Addressee, now: SystemTime) -> bool {
        let verifier = self.verifier.as_ref();
        verifier.is_some_and(|verifier| verifier.verify(Message::of(request), addressee, now))
    }

    /// Returns why a request bypasses the cache, if it does.
    pub(crate) fn exempt(&self, request: &Request, target: &Target) -> Option<Forward> {
        if *request.method() != Method::GET && *request.method() != Method::HEAD {
            return Some(Forward::Method);
        }
        if self.is_bypassed(target) {
            return Some(Forward::Bypass);
        }
        // RFC 9111 §4.3.2: these preconditions are for the origin. And the meaning of a body in a GET is undefined (RFC 9110
        // §9.3.1), so only the origin can answer it.
        let for_origin = |(name, value): (&HeaderName, &HeaderValue)| {
            [header::IF_MATCH, header::IF_UNMODIFIED_SINCE, header::TRANSFER_ENCODING].contains(name)
                || *name == header::CONTENT_LENGTH && value != "0"
        };
        request.headers().iter().any(for_origin).then_some(Forward::Request)
    }

    /// Returns whether a target is never cached.
    pub(crate) fn is_bypassed(&self, target: &Target) -> bool {
        let path = target.path_and_query();
        self.bypass.iter().any(|prefix| path.starts_with(prefix.as_str()))
    }
}

/// A path, and the ticket that opens it.
struct Opened<'a> {
    path: Cow<'a, str>,
    ticket: Ticket,
}

/// The rule for playing.
#[derive(Clone, Debug, Default)]
pub enum Access {
    /// No ticket is needed. A path with a ticket is refused: there are no keys to verify it with.
    #[default]
    Open,
    /// No ticket is needed; one in the path must be valid.
    Verified(Keys),
    /// A valid ticket is needed below `/v/`.
    Required(Keys),
}

impl Access {
    /// Reads the ticket in the field of an edge in front of this one. One that opens nothing counts as none.
    fn verify_field(&self, field: &HeaderValue, path: &str, now: SystemTime) -> Option<ShownTicket> {
        let (Self::Verified(keys) | Self::Required(keys)) = self else { return None };
        let ticket: Ticket = field.to_str().ok()?.parse().ok()?;
        keys.verify(&ticket, path, now).ok()?;
        ShownTicket::new(&ticket, Carrier::Field)
    }

    /// Checks a request's path. Returns the path that its ticket opens, when there is one.
    fn check<'a>(
        &self,
        path: &'a str,
        now: impl FnOnce() -> SystemTime,
    ) -> Result<Option<Opened<'a>>, Refusal> {
        let Some((text, opened)) = ticket::split(path) else {
            return match self {
                // The path as it will be asked for, else a second spelling would go around the ticket.
                Self::Required(_) if key::normal_path(path).is_none_or(|path| path.starts_with("/v/")) => {
                    Err(Refusal::BadSignature)
                }
                _ => Ok(None),
            };
        };
        let opened = key::normal_path(opened).ok_or(Refusal::WrongVideo)?;
        match self {
            Self::Open => Err(Refusal::BadSignature),
            Self::Verified(keys) | Self::Required(keys) => {
                let ticket: Ticket = text.parse()?;
                keys.verify(&ticket, &opened, now())?;
                Ok(Some(Opened { path: opened, ticket }))
            }
        }
    }
}
