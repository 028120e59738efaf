//! The table of access: who may do what at which endpoint of the origin, of accounts and of the speech service. What is not
//! in it is refused, and a test of the program fails for an endpoint of the routers that is missing here.

use http::Method;
use serde::{Deserialize, Serialize};
use store::VideoId;
use utoipa::ToSchema;

/// The least that somebody must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody, strangers too.
    Anyone,
    /// The audience of the site: anybody, or whoever is signed in where it is closed. Lists show each what they may see.
    Audience,
    /// Somebody who is signed in.
    SignedIn,
    /// An administrator.
    Administrator,
    /// Somebody who may see the video: the audience unless it is private; then its owner, administrators, and the people whom it
    /// is shared with. And whoever has a link that shares it.
    Viewer,
    /// The video's owner, or an administrator.
    Owner,
    /// Anybody for a public video of a site that is not closed; for others, somebody with a ticket of it.
    Player,
}

/// The scope that a token needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Seeing what the person sees.
    Read,
    /// Adding videos.
    Upload,
    /// Changing and deleting the person's videos; an administrator's changes all.
    Manage,
}

/// The rights of a token at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ByToken {
    /// It must have this scope.
    With(Scope),
    /// Sessions alone: a token must not make itself stronger.
    Never,
}

/// One endpoint.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// The method; HEAD goes as GET.
    pub method: Method,
    /// The path, as the routers write it.
    pub path: &'static str,
    /// The least that somebody must be.
    pub who: Who,
    /// The rights of a token.
    pub by_token: ByToken,
}

macro_rules! table {
    ($($method:ident $path:literal $who:ident $token:ident;)+) => {
        /// Every endpoint.
        pub const TABLE: &[Endpoint] = &[$(Endpoint {
            method: Method::$method,
            path: $path,
            who: Who::$who,
            by_token: by_token!($token),
        },)+];
    };
}

macro_rules! by_token {
    (Never) => {
        ByToken::Never
    };
    ($scope:ident) => {
        ByToken::With(Scope::$scope)
    };
}

table! {
    // method, path, who, scope of a token
    GET "/healthz" Anyone Read;
    GET "/readyz" Anyone Read;

    GET "/api/openapi.json" Anyone Read;
    GET "/api/docs" Anyone Read;

    GET "/api/v1/session" Anyone Read;
    POST "/api/v1/session" Anyone Never;
    DELETE "/api/v1/session" Anyone Never;
    GET "/api/v1/account" SignedIn Read;
    PATCH "/api/v1/account" SignedIn Never;
    // By the key of a mail, which is read where its reader may not be signed in.
    PUT "/api/v1/account/email" Anyone Never;
    DELETE "/api/v1/account" SignedIn Never;
    PUT "/api/v1/account/password" SignedIn Never;
    GET "/api/v1/account/second-factor" SignedIn Never;
    POST "/api/v1/account/second-factor" SignedIn Never;
    PUT "/api/v1/account/second-factor" SignedIn Never;
    DELETE "/api/v1/account/second-factor" SignedIn Never;
    GET "/api/v1/account/sessions" SignedIn Never;
    DELETE "/api/v1/account/sessions/{session}" SignedIn Never;
    GET "/api/v1/account/tokens" SignedIn Never;
    POST "/api/v1/account/tokens" SignedIn Never;
    DELETE "/api/v1/account/tokens/{token}" SignedIn Never;
    GET "/api/v1/oidc/sign-in" Anyone Never;
    GET "/api/v1/oidc/callback" Anyone Never;
    GET "/api/v1/account/identity" SignedIn Never;
    POST "/api/v1/account/identity" SignedIn Never;
    DELETE "/api/v1/account/identity" SignedIn Never;
    POST "/api/v1/password-resets" Anyone Never;
    PUT "/api/v1/password-resets" Anyone Never;
    POST "/api/v1/sign-ups" Anyone Never;
    POST "/api/v1/users" Anyone Never;
    GET "/api/v1/users" Administrator Never;
    PATCH "/api/v1/users/{user}" Administrator Never;
    DELETE "/api/v1/users/{user}" Administrator Never;
    // Of all videos an administrator's alone, which the handler sees to.
    GET "/api/v1/webhooks" SignedIn Manage;
    POST "/api/v1/webhooks" SignedIn Manage;
    PATCH "/api/v1/webhooks/{webhook}" SignedIn Manage;
    DELETE "/api/v1/webhooks/{webhook}" SignedIn Manage;
    GET "/api/v1/webhooks/{webhook}/deliveries" SignedIn Manage;
    POST "/api/v1/webhooks/{webhook}/deliveries/{delivery}/retry" SignedIn Manage;
    GET "/api/v1/invitations" Administrator Never;
    POST "/api/v1/invitations" Administrator Never;
    DELETE "/api/v1/invitations/{invitation}" Administrator Never;

    GET "/api/v1/videos" Audience Read;
    POST "/api/v1/videos" SignedIn Upload;
    GET "/api/v1/videos/{id}" Viewer Read;
    PATCH "/api/v1/videos/{id}" Owner Manage;
    DELETE "/api/v1/videos/{id}" Owner Manage;
    POST "/api/v1/videos/{id}/retry" Owner Manage;
    POST "/api/v1/videos/{id}/cancel" Owner Manage;
    GET "/api/v1/videos/{id}/events" Viewer Read;
    POST "/api/v1/videos/{id}/views" Viewer Read;
    GET "/api/v1/videos/{id}/poster" Owner Manage;
    PUT "/api/v1/videos/{id}/poster" Owner Manage;
    DELETE "/api/v1/videos/{id}/poster" Owner Manage;
    GET "/api/v1/videos/{id}/shares" Owner Manage;
    POST "/api/v1/videos/{id}/shares" Owner Manage;
    DELETE "/api/v1/videos/{id}/shares/{share}" Owner Manage;
    GET "/api/v1/videos/{id}/people" Owner Manage;
    POST "/api/v1/videos/{id}/people" Owner Manage;
    DELETE "/api/v1/videos/{id}/people/{grant}" Owner Manage;
    GET "/api/v1/videos/{id}/captions" Viewer Read;
    POST "/api/v1/videos/{id}/captions" Owner Manage;
    POST "/api/v1/videos/{id}/captions/machine" Owner Manage;
    GET "/api/v1/videos/{id}/captions/{track}" Viewer Read;
    PATCH "/api/v1/videos/{id}/captions/{track}" Owner Manage;
    PUT "/api/v1/videos/{id}/captions/{track}" Owner Manage;
    DELETE "/api/v1/videos/{id}/captions/{track}" Owner Manage;
    POST "/api/v1/videos/{id}/captions/{track}/machine" Owner Manage;
    GET "/api/v1/videos/{id}/captions/{track}/cues" Viewer Read;
    POST "/api/v1/videos/{id}/captions/{track}/cues" Owner Manage;
    PATCH "/api/v1/videos/{id}/captions/{track}/cues/{number}" Owner Manage;
    DELETE "/api/v1/videos/{id}/captions/{track}/cues/{number}" Owner Manage;
    GET "/api/v1/search" Audience Read;
    GET "/api/v1/events" Audience Read;
    GET "/api/v1/jobs" Administrator Read;

    // tus: X-HTTP-Method-Override stands for any of the methods, so all of an upload have one right.
    POST "/api/v1/uploads" SignedIn Upload;
    GET "/api/v1/uploads/{id}" Owner Upload;
    POST "/api/v1/uploads/{id}" Owner Upload;
    PATCH "/api/v1/uploads/{id}" Owner Upload;
    DELETE "/api/v1/uploads/{id}" Owner Upload;

    GET "/v/{*file}" Player Read;

    // OpenAI's addresses of the transcriber: they take the machine for minutes, as an upload does.
    GET "/v1/models" SignedIn Read;
    GET "/v1/models/{name}" SignedIn Read;
    POST "/v1/audio/transcriptions" SignedIn Upload;
    POST "/v1/audio/translations" SignedIn Upload;
}

/// An endpoint that a request is for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    pub(crate) endpoint: &'static Endpoint,
    /// The video's name in the path, where the path has one.
    pub(crate) video: Option<&'a str>,
}

impl Found<'_> {
    /// Returns the video, if its name is one. An escaped spelling of a name is none: the routers would decode it.
    pub(crate) fn video_id(&self) -> Option<VideoId> {
        self.video?.parse().ok()
    }
}

/// Finds the endpoint of a request. `Err` has the methods that the path takes; none where there is nothing at it.
pub(crate) fn find<'a>(method: &Method, path: &'a str) -> Result<Found<'a>, Vec<&'static Method>> {
    let method = if method == Method::HEAD { &Method::GET } else { method };
    let mut allowed = Vec::new();
    for endpoint in TABLE {
        let Some(video) = matches(endpoint.path, path) else { continue };
        // A path of words alone comes before one with a name: `machine` is no track.
        if endpoint.method == *method && !is_shadowed(endpoint, path) {
            return Ok(Found { endpoint, video: video.of(path) });
        }
        allowed.push(&endpoint.method);
    }
    Err(allowed)
}

/// Returns whether another path of the table names `path` by a word where `endpoint` has a name.
fn is_shadowed(endpoint: &Endpoint, path: &str) -> bool {
    let names = |pattern: &str| pattern.matches('{').count();
    TABLE.iter().any(|other| {
        other.path != endpoint.path
            && names(other.path) < names(endpoint.path)
            && matches(other.path, path).is_some()
    })
}

/// The place of a video's name in a path, by its number between slashes.
struct Place(Option<usize>);

impl Place {
    fn of<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.split('/').nth(self.0?)
    }
}

fn matches(pattern: &str, path: &str) -> Option<Place> {
    let (mut video, mut given) = (None, path.split('/'));
    for (number, part) in pattern.split('/').enumerate() {
        if part.starts_with("{*") {
            // The rest, of one part at least. Of playback it begins with the video.
            return given.next().filter(|first| !first.is_empty()).map(|_| Place(Some(number)));
        }
        let segment = given.next()?;
        if part.starts_with('{') {
            if segment.is_empty() {
                return None;
            }
            if part == "{id}" {
                video = Some(number);
            }
        } else if part != segment {
            return None;
        }
    }
    given.next().is_none().then_some(Place(video))
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 3] = [Self::Read, Self::Upload, Self::Manage];

    /// Returns the scope's word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Upload => "upload",
            Self::Manage => "manage",
        }
    }

    /// Reads the word.
    pub fn read(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'a>(method: &Method, path: &'a str) -> Option<(&'static str, Option<&'a str>)> {
        find(method, path).ok().map(|found| (found.endpoint.path, found.video))
    }

    #[test]
    fn a_request_finds_its_endpoint_and_its_video() {
        for (path, expected) in [
            ("/api/v1/videos", Some(("/api/v1/videos", None))),
            ("/api/v1/videos/x", Some(("/api/v1/videos/{id}", Some("x")))),
            ("/v/x/720p/3.m4s", Some(("/v/{*file}", Some("x")))),
            ("/v/x", Some(("/v/{*file}", Some("x")))),
            ("/api/v1/videos/", None),
            ("/api/v1/videos/x/", None),
            ("/api/v1//videos", None),
            ("/api/v1/videos/x/secrets", None),
            ("/v/", None),
            ("/v", None),
            ("/", None),
            ("", None),
        ] {
            assert_eq!(found(&Method::GET, path), expected, "{path}");
        }
        assert_eq!(found(&Method::HEAD, "/healthz"), Some(("/healthz", None)));
        let machine = "/api/v1/videos/{id}/captions/machine";
        assert_eq!(found(&Method::POST, "/api/v1/videos/x/captions/machine"), Some((machine, Some("x"))));
    }

    #[test]
    fn a_path_without_the_method_names_those_that_it_has() {
        let allowed = find(&Method::PUT, "/api/v1/session").unwrap_err();
        assert_eq!(allowed, [&Method::GET, &Method::POST, &Method::DELETE]);
        assert!(find(&Method::DELETE, "/api/v1/videos/x/captions/machine").is_err());
        assert!(find(&Method::GET, "/api/v2").unwrap_err().is_empty());
    }

    #[test]
    fn an_escaped_name_is_no_video() {
        let id = VideoId::random();
        let plain = format!("/v/{id}/master.m3u8");
        assert_eq!(find(&Method::GET, &plain).unwrap().video_id(), Some(id.clone()));
        let first = id.as_str().as_bytes()[0];
        let escaped = format!("/v/%{first:02x}{}/master.m3u8", &id.as_str()[1..]);
        assert_eq!(find(&Method::GET, &escaped).unwrap().video_id(), None);
    }

    #[test]
    fn no_endpoint_stands_there_twice() {
        for (n, one) in TABLE.iter().enumerate() {
            let again =
                TABLE[n + 1..].iter().any(|other| other.method == one.method && other.path == one.path);
            assert!(!again, "{} {}", one.method, one.path);
        }
    }
}
