//! The scope of a ticket: one video, or one folder of it. Pure.

/// A path prefix of whole segments: `/v/{video}`, or `/v/{video}/720p`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(String);

/// Why a text names no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no scope of a ticket: /v/, then names of letters, digits, . - _, at most {most} bytes", most = Scope::MOST)]
pub struct ScopeError(String);

impl Scope {
    /// The most bytes behind `/v/`.
    pub const MOST: usize = 128;

    /// Makes the scope of a whole video.
    pub fn video(id: &str) -> Result<Self, ScopeError> {
        Self::path(&format!("/v/{id}"))
    }

    /// Makes the scope of a path and all that lies under it.
    pub fn path(prefix: &str) -> Result<Self, ScopeError> {
        match tail(prefix) {
            Some(tail) if tail.len() <= Self::MOST => Ok(Self(tail.to_owned())),
            _ => Err(ScopeError(prefix.to_owned())),
        }
    }

    pub(super) fn tail(&self) -> &str {
        &self.0
    }
}

/// Returns whether `path` lies under the scope that stands in a ticket. A path with a second spelling lies
/// nowhere: what is checked here and what is looked up later must be the same.
pub(super) fn covers(scope: &[u8], path: &str) -> bool {
    let Some(rest) = tail(path).and_then(|tail| tail.as_bytes().strip_prefix(scope)) else { return false };
    // `/v/1` is no prefix of `/v/10`.
    rest.is_empty() || rest[0] == b'/'
}

/// Returns what follows `/v/` in a canonical path: names between single slashes, no dots that climb, and
/// nothing that needs percent signs.
fn tail(path: &str) -> Option<&str> {
    let tail = path.strip_prefix("/v/")?;
    tail.split('/').all(is_name).then_some(tail)
}

fn is_name(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
        && segment.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_scope_covers_itself_and_what_lies_under_it() {
        for (scope, path, expected) in [
            ("1", "/v/1", true),
            ("1", "/v/1/master.m3u8", true),
            ("1", "/v/10/master.m3u8", false),
            ("10", "/v/1/master.m3u8", false),
            ("1/720p", "/v/1/720p/3.m4s", true),
            ("1/720p", "/v/1/720p-high/3.m4s", false),
            ("1/720p", "/v/1/1080p/3.m4s", false),
            ("1", "/x/1/master.m3u8", false),
            ("1", "", false),
        ] {
            assert_eq!(covers(scope.as_bytes(), path), expected, "{scope} {path}");
        }
    }

    #[test]
    fn a_path_with_a_second_spelling_is_not_covered() {
        for path in [
            "/v/1/../2/master.m3u8",
            "/v/1/./master.m3u8",
            "/v/1//master.m3u8",
            "/v/1/",
            "/v/1/%2e%2e/2/master.m3u8",
            "/v/%31/master.m3u8",
            "/v/1/master.m3u8;x",
            "/v/1\\..\\2",
            "/v/1/master.m3u8?a",
            "/v/1/mäster.m3u8",
            "//v/1",
        ] {
            assert!(!covers(b"1", path), "{path}");
        }
    }

    #[test]
    fn only_names_make_a_scope() {
        assert!(Scope::video("0123456789abcdef").is_ok());
        assert!(Scope::path("/v/1/720p").is_ok());
        for prefix in ["", "/v/", "/v/..", "/v/a b", "/v/1/", "/t/1", &format!("/v/{}", "a".repeat(129))] {
            assert!(Scope::path(prefix).is_err(), "{prefix}");
        }
    }

    proptest! {
        #[test]
        fn a_scope_covers_only_what_begins_with_its_very_segments(
            scope in "[ab1./]{1,6}", path in "/v/[ab1./%]{0,12}",
        ) {
            if let Ok(scope) = Scope::path(&format!("/v/{scope}")) {
                let wanted: Vec<&str> = scope.tail().split('/').collect();
                let given: Vec<&str> = path["/v/".len()..].split('/').collect();
                let canonical = given.iter().all(|s| !s.is_empty() && *s != "." && *s != ".." && !s.contains('%'));
                prop_assert_eq!(covers(scope.tail().as_bytes(), &path), canonical && given.starts_with(&wanted));
            }
        }
    }
}
