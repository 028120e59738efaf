//! Prefetching: the segment that a player asks for next is fetched before it does, while there is room. CMCD is read by
//! `cmcd`.

use std::sync::{Arc, atomic::Ordering};

use http::{HeaderMap, HeaderName, Request, request::Parts};
use server::has_any;

use crate::{
    EdgeInner,
    cmcd::Cmcd,
    fetch::FetchTask,
    fetch_request::FetchRequest,
    in_flight::JoinResult,
    key::{Target, normal_path},
    object::Object,
    shown::ShownTicket,
};

// A player that starts or ran dry asks for two segments in quick succession, before its CMCD names the next.
const DEPTH: u32 = 1;
const DEPTH_WHEN_URGENT: u32 = 2;
// The size assumed for a segment before its length is known.
const SIZE: u64 = 64 * 1024;
const CMCD_HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("cmcd-request"), HeaderName::from_static("cmcd-status")];

/// A request that may be followed by one for the next segment.
pub(crate) struct Prefetch<'a> {
    pub(crate) inner: &'a Arc<EdgeInner>,
    pub(crate) target: &'a Target,
    pub(crate) parts: &'a Parts,
}

impl Prefetch<'_> {
    /// Reads a request's CMCD and fetches the segments that the player will ask for next. `object` is the answer to this
    /// request, when it was in memory.
    pub(crate) fn next(&self, object: Option<&Object>) {
        let Self { inner, target, parts } = self;
        let cmcd = Cmcd::of(target.cmcd.as_deref(), &parts.headers);
        if let Some(cmcd) = &cmcd {
            inner.metrics.cmcd(cmcd);
        }
        // A peer prefetches for its own clients: doing it here too would fetch each segment ahead twice.
        if inner.config.prefetches == 0 || parts.headers.contains_key(crate::signature::NAME) {
            return;
        }
        // For an object in memory the next by number was prefetched at its first use; a `nor` may name another one.
        let first = object.is_none_or(|object| !object.prefetched.swap(true, Ordering::Relaxed));
        let next = match &cmcd {
            Some(cmcd) if !cmcd.next.is_empty() => named(target.path(), &cmcd.next),
            // CTA-5004, `sf`: Smooth Streaming and other formats number no segments so.
            Some(cmcd) if first && !matches!(cmcd.format, Some('s' | 'o')) => {
                counted(target.path(), if cmcd.urgent { DEPTH_WHEN_URGENT } else { DEPTH })
            }
            None if first => counted(target.path(), DEPTH),
            _ => return,
        };
        let size = object.map_or(0, |object| object.body.len() as u64).max(SIZE);
        for path in next {
            fetch(inner, &target.sibling(&path), Ahead { size, ticket: parts.extensions.get().cloned() });
        }
    }
}

/// A segment that nobody has asked for yet.
struct Ahead {
    size: u64,
    /// The ticket of the request before, which opens the whole video.
    ticket: Option<ShownTicket>,
}

/// Fetches a target while there is room for it.
fn fetch(inner: &Arc<EdgeInner>, target: &Target, ahead: Ahead) {
    let size = ahead.size;
    let memory = &inner.cache.memory;
    if memory.get(target.as_str()).is_some() || !memory.has_room(size) || !inner.fill_budget.has(size) {
        return;
    }
    let Ok(permit) = inner.prefetching.clone().try_acquire_owned() else { return };
    let (mut parts, ()) = Request::new(()).into_parts();
    if let Some(ticket) = ahead.ticket {
        parts.extensions.insert(ticket);
    }
    let mut fetch_request = FetchRequest::new(inner, target, &parts, &[]);
    fetch_request.is_prefetch = true;
    let joined = inner.cache.join(&fetch_request.fetch_key, || inner.cache.fresh(target, &parts));
    if let JoinResult::Leads(waiter) = joined {
        inner.metrics.prefetches.inc();
        waiter.keep_fetch();
        FetchTask::start(inner, Arc::clone(&waiter), fetch_request, Some(permit));
    }
}

/// Returns the paths that a player named, if they are of the same video.
fn named(path: &str, references: &[String]) -> Vec<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let video = |path: &str| path.split('/').take(3).map(str::to_owned).collect::<Vec<_>>();
    let resolved = references.iter().filter_map(|reference| {
        if reference.contains(['?', '#', ':']) || reference.starts_with("//") {
            return None;
        }
        let whole =
            if reference.starts_with('/') { reference.clone() } else { format!("{folder}/{reference}") };
        Some(normal_path(&whole)?.into_owned())
    });
    // It must be a path still, when it stands in a request line.
    let plain =
        |path: &String| path.bytes().all(|b| b.is_ascii_graphic()) && path.parse::<http::Uri>().is_ok();
    resolved.filter(|next| plain(next) && next != path && video(next) == video(path)).collect()
}

/// Returns the paths of the segments behind the one at `path`, by their numbers.
fn counted(path: &str, count: u32) -> Vec<String> {
    let number = || {
        let (folder, name) = path.rsplit_once('/')?;
        let (number, extension) = name.split_once('.')?;
        let plain = number == "0" || !number.starts_with('0') && number.bytes().all(|b| b.is_ascii_digit());
        (plain && extension == "m4s").then_some(())?;
        Some((folder, number.parse::<u32>().ok()?))
    };
    let Some((folder, number)) = number() else { return Vec::new() };
    (1..=count).filter_map(|n| Some(format!("{folder}/{}.m4s", number.checked_add(n)?))).collect()
}

/// Returns whether a request carries CMCD. Without it the next segment is counted, which needs none of the headers.
pub(crate) fn has_cmcd(target: &Target, headers: &HeaderMap) -> bool {
    target.cmcd.is_some() || has_any(headers, &CMCD_HEADERS)
}

/// Returns whether a header is CMCD (CTA-5004).
pub(crate) fn is_cmcd(name: &HeaderName) -> bool {
    name.as_str().starts_with("cmcd-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_segment_is_the_one_with_the_next_number() {
        assert_eq!(counted("/v/x/720p/9.m4s", 2), ["/v/x/720p/10.m4s", "/v/x/720p/11.m4s"]);
        for path in
            ["/v/x/720p/init.mp4", "/v/x/720p/09.m4s", "/v/x/720p/.m4s", "/v/x/a.m4s", "/v/x/4294967295.m4s"]
        {
            assert_eq!(counted(path, 1), Vec::<String>::new(), "{path}");
        }
    }

    #[test]
    fn a_player_names_what_is_next_of_its_own_video_only() {
        let check = |reference: &str, expected: &[&str]| {
            assert_eq!(named("/v/x/720p/9.m4s", &[reference.to_owned()]), expected, "{reference}");
        };
        check("10.m4s", &["/v/x/720p/10.m4s"]);
        check("../480p/10.m4s", &["/v/x/480p/10.m4s"]);
        check("/v/x/480p/10.m4s", &["/v/x/480p/10.m4s"]);
        check("../../y/720p/0.m4s", &[]);
        check("//other/v/x/0.m4s", &[]);
        check("http://other/v/x/0.m4s", &[]);
        check("10.m4s\r\nx: y", &[]);
        check("9.m4s", &[]);
    }
}
