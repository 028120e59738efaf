//! Request fields that are in no key: fields of a client that no `Vary` has named so far. A response that is made for one
//! request may depend on them, so the first request of a key sends them along, and such a response takes one fetch.
//! A response that others get must not: that would be cache poisoning.

use std::hash::{BuildHasher, RandomState};

use http::{HeaderMap, HeaderName, HeaderValue, header};
use moka::sync::Cache;

use crate::{hop, key::Target, prefetch};

// More fields are no browser's.
const MOST_FIELDS: usize = 16;
// A folder of segments and a field, a number each.
const MOST_LEARNED: u64 = 16 * 1024;

// These are forwarded with every fetch, whatever `Vary` names.
pub(crate) const ALWAYS_FORWARDED: [HeaderName; 2] = [header::ACCEPT_ENCODING, header::AUTHORIZATION];
// These fields do not select the content of an answer, or an answer that depends on them names them in Vary.
// Or, as those of proxies, they are any client's word, which an origin must not take for the edge's.
const WITHOUT_EFFECT: [&str; 25] = [
    "accept",
    "accept-language",
    "cache-control",
    "clipcut-signature",
    "connection",
    "dnt",
    "forwarded",
    "host",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "pragma",
    "priority",
    "range",
    "referer",
    "te",
    "traceparent",
    "tracestate",
    "upgrade-insecure-requests",
    "user-agent",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-proto",
];

/// The fields that were found to make no difference. Each browser sends cookies: without this the first fetch of every
/// segment would be made twice.
#[derive(Debug)]
pub(crate) struct Unkeyed {
    without_effect: Cache<u64, ()>,
    hasher: RandomState,
}

impl Unkeyed {
    pub(crate) fn new() -> Self {
        Self { without_effect: Cache::new(MOST_LEARNED), hasher: RandomState::new() }
    }

    /// Returns the fields of a request that a first fetch of `target` sends along.
    pub(crate) fn select(&self, target: &Target, of_request: &HeaderMap) -> HeaderMap {
        let mut selected = of_request.clone();
        for name in of_request.keys() {
            let number = self.number(target, name);
            if number.is_some_and(|number| self.without_effect.contains_key(&number)) {
                selected.remove(name);
            }
        }
        if selected.keys_len() > MOST_FIELDS {
            selected.clear();
        }
        selected
    }

    /// Notes that a shared response did not depend on these fields.
    pub(crate) fn learn(&self, target: &Target, names: &[&HeaderName]) {
        for name in names {
            if let Some(number) = self.number(target, name) {
                self.without_effect.insert(number, ());
            }
        }
    }

    /// Returns the number of a field for files like this one: those of a folder with one extension are of one kind. A path
    /// without an extension is a program's, from which nothing follows for others.
    fn number(&self, target: &Target, name: &HeaderName) -> Option<u64> {
        let (folder, file) = target.path().rsplit_once('/')?;
        let (_, extension) = file.rsplit_once('.')?;
        Some(self.hasher.hash_one((target.host(), folder, extension, name.as_str())))
    }
}

/// Returns whether a request leaves it to the origin what a field selects: without the field, and with a language of `*`,
/// which is as good as none (RFC 9110 §12.5.4) and what programs send that have no language.
pub(crate) fn leaves_open(request: &HeaderMap, name: &HeaderName) -> bool {
    let is_any = |value: &HeaderValue| *name == header::ACCEPT_LANGUAGE && value.as_bytes() == b"*";
    request.get_all(name).iter().all(is_any)
}

/// Returns the fields of a request on which an answer may depend, and which are not among the `forwarded`.
pub(crate) fn fields(request: &HeaderMap, is_forwarded: impl Fn(&HeaderName) -> bool) -> HeaderMap {
    let mut fields = request.clone();
    hop::drop_hop_by_hop(&mut fields);
    for name in request.keys() {
        let has_no_effect = WITHOUT_EFFECT.contains(&name.as_str())
            || ALWAYS_FORWARDED.contains(name)
            || name.as_str().starts_with("sec-")
            || prefetch::is_cmcd(name);
        if has_no_effect || is_forwarded(name) {
            fields.remove(name);
        }
    }
    fields
}
