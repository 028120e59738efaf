//! Wants: a request for a segment that is not encoded has it encoded next, within bounds. Leaves the order of work to the
//! store.

use std::{net::IpAddr, time::Duration};

use axum::extract::Request;
use http::{HeaderMap, HeaderName};
use server::site::Site;
use store::{Limit, Want};

use crate::{File, Origin, Path, error::Result};

/// A cache or a browser sets it on what nobody waits for yet (Fetch Standard, HTTP purpose).
const SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");

/// A player that buffers asks for two a second at most, of picture and sound; a program that asks for all of a video
/// gets no more of it.
const OF_A_VIEWER: Limit = Limit { most: 20, window: Duration::from_secs(10) };

/// A thousand viewers who wait for one segment raise it once, and again while they wait on.
const OF_A_SEGMENT: Limit = Limit { most: 1, window: Duration::from_secs(2) };

/// The viewer behind a request, as far as it raises anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// Somebody waits.
    Viewer(Option<IpAddr>),
    /// Nobody waits for it yet.
    Prefetch,
}

impl Asker {
    pub(crate) fn of(site: &Site, request: &Request) -> Self {
        if is_prefetch(request.headers()) {
            Self::Prefetch
        } else {
            Self::Viewer(site.original(request).client)
        }
    }
}

impl Origin {
    /// Has a segment encoded that a viewer waits for. An init segment comes with the first segment of its rendition.
    pub(crate) async fn want(&self, path: &Path, asker: Asker) -> Result<()> {
        let Asker::Viewer(address) = asker else { return Ok(()) };
        let (rendition, number) = match &path.file {
            File::Segment { rendition, number } => (rendition, *number),
            File::Init(rendition) => (rendition, 0),
            _ => return Ok(()),
        };
        let viewer = address.map_or_else(String::new, |address| address.to_string());
        let counters = &self.store.counters;
        // The viewer first: one who has asked for too much is not to keep the segment from the others.
        if counters.hit(&format!("want/{viewer}"), OF_A_VIEWER).await.allowed
            && counters.hit(&format!("wanted/{}", path.key()), OF_A_SEGMENT).await.allowed
        {
            self.store.jobs.want(&Want { video: &path.video, rendition, number }).await?;
        }
        Ok(())
    }
}

fn is_prefetch(headers: &HeaderMap) -> bool {
    let values = headers.get_all(SEC_PURPOSE).iter().filter_map(|value| value.to_str().ok());
    // A structured item, with parameters in some browsers: `prefetch;prerender`.
    values.into_iter().any(|value| value.split([';', ',']).any(|word| word.trim() == "prefetch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefetch_is_known_by_its_purpose() {
        let check = |value: &'static str, expected: bool| {
            let headers = [(SEC_PURPOSE, http::HeaderValue::from_static(value))].into_iter().collect();
            assert_eq!(is_prefetch(&headers), expected, "{value}");
        };
        check("prefetch", true);
        check("prefetch;prerender", true);
        check("play", false);
        assert!(!is_prefetch(&HeaderMap::new()));
    }
}
