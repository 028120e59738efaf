//! The session's cookie: `__Host-session`, which browsers take over TLS alone and send to this host alone. On loopback, where
//! plain HTTP is as good, it is `session`. And that of a sign-in which is on its way through an OpenID provider.

use std::{net::IpAddr, time::Duration};

use axum::extract::Request;
use http::{HeaderMap, HeaderValue, header, uri::Authority};

use crate::{Accounts, Error, error::forbidden, secret::Secret};

/// A cookie's name over TLS, and on loopback.
type Name = [&'static str; 2];

/// That of a session over TLS.
pub(crate) const SECURE: &str = "__Host-session";
const SESSION: Name = [SECURE, "session"];
const ATTEMPT: Name = ["__Host-sign-in", "sign-in"];

/// The line to a client, as far as cookies go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// TLS, here or at a proxy in front.
    Secure,
    /// Plain HTTP on one machine.
    Loopback,
    /// Plain HTTP over a network, on which anybody may read along.
    Open,
}

impl Accounts {
    /// Returns the line that a request came over.
    pub(crate) fn line(&self, request: &Request) -> Line {
        let original = self.config.site.original(request);
        let public = self.config.site.public.as_ref().is_some_and(server::site::PublicUrl::is_https);
        if public || original.scheme.as_deref().unwrap_or(self.config.scheme) == "https" {
            return Line::Secure;
        }
        let host = original.host.or_else(|| {
            let named = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
            request.uri().authority().map(ToString::to_string).or_else(|| named.map(str::to_owned))
        });
        if host.is_some_and(|host| is_loopback(&host)) { Line::Loopback } else { Line::Open }
    }
}

impl Line {
    /// Returns the session's secret in a request.
    pub(crate) fn secret(self, headers: &HeaderMap) -> Option<Secret> {
        // The first one of the name: browsers send those of the longest path first, and ours has the shortest that there is.
        Secret::shown(self.value(SESSION, headers)?)
    }

    /// Returns what a browser keeps of a sign-in that is on its way.
    pub(crate) fn attempt(self, headers: &HeaderMap) -> Option<String> {
        self.value(ATTEMPT, headers).map(str::to_owned)
    }

    fn value(self, name: Name, headers: &HeaderMap) -> Option<&str> {
        let name = self.name(name)?;
        let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(given, _)| *given == name).map(|(_, value)| value)
    }

    /// Returns the field that gives a browser its session.
    pub(crate) fn give(self, secret: &Secret, lifetime: Duration) -> Result<HeaderValue, Error> {
        self.field(SESSION, secret.text(), lifetime)
    }

    /// Returns the field that takes it away.
    pub(crate) fn take_away(self) -> Result<HeaderValue, Error> {
        self.field(SESSION, "", Duration::ZERO)
    }

    /// Returns the field by which a browser keeps a sign-in that is on its way; nothing takes it away.
    pub(crate) fn give_attempt(self, value: &str, lifetime: Duration) -> Result<HeaderValue, Error> {
        self.field(ATTEMPT, value, lifetime)
    }

    fn field(self, name: Name, value: &str, lifetime: Duration) -> Result<HeaderValue, Error> {
        let Some(name) = self.name(name) else {
            let detail = "Sign in over https: on this line anybody could read the password along. Give the server a \
                          certificate (tls_cert, tls_key) or a proxy with one (public_url), or open it at localhost.";
            return Err(forbidden("insecure_line", detail));
        };
        // `__Host-` demands Secure, Path=/ and no Domain (RFC 6265bis §4.1.3.2). Lax and not Strict: a link in a mail
        // or a chat is to open a private video for whoever is signed in.
        let secure = if self == Self::Secure { "; Secure" } else { "" };
        let seconds = lifetime.as_secs();
        let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
        let mut field = HeaderValue::try_from(text).map_err(|e| Error::Hash(e.to_string()))?;
        field.set_sensitive(true);
        Ok(field)
    }

    fn name(self, [secure, loopback]: Name) -> Option<&'static str> {
        match self {
            Self::Secure => Some(secure),
            Self::Loopback => Some(loopback),
            Self::Open => None,
        }
    }
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_matches(['[', ']']);
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts() {
        let secret = Secret::random();
        let field =
            |line: Line| line.give(&secret, Duration::from_mins(1)).map(|f| f.to_str().unwrap().to_owned());
        let attributes = "Path=/; Max-Age=60; HttpOnly; SameSite=Lax";
        assert_eq!(
            field(Line::Secure).unwrap(),
            format!("__Host-session={}; {attributes}; Secure", secret.text())
        );
        assert_eq!(field(Line::Loopback).unwrap(), format!("session={}; {attributes}", secret.text()));
        assert!(field(Line::Open).is_err());
    }

    #[test]
    fn a_cookie_of_another_name_is_no_session() {
        let secret = Secret::random();
        let headers = |cookie: String| HeaderMap::from_iter([(header::COOKIE, cookie.parse().unwrap())]);
        let text = secret.text();
        let found = |line: Line, cookie: String| line.secret(&headers(cookie)).is_some();
        assert!(found(Line::Secure, format!("a=b; __Host-session={text}; c=d")));
        assert!(found(Line::Loopback, format!("session={text}")));
        // A sibling host can set `session` for its whole domain, and no name with the prefix.
        assert!(!found(Line::Secure, format!("session={text}")));
        assert!(!found(Line::Open, format!("session={text}")));
        assert!(!found(Line::Secure, "__Host-session=short".to_owned()));
    }

    #[test]
    fn loopback_is_this_machine_and_nothing_that_looks_like_it() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example", "192.168.1.5:8080", "[::2]", "127.0.0.1.example", ""] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
