//! The hot paths that are measured: each is set up once and then run over and over, by criterion in time
//! and by callgrind in instructions.
#![expect(clippy::unwrap_used, reason = "a bench that cannot be set up is to fail")]

use std::{
    convert::Infallible,
    pin::pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use edge::{
    Clock, Edge,
    key::{Invalid, Target},
};
use futures::FutureExt;
use http::{HeaderMap, HeaderValue, Uri, header};
use http_body_util::BodyExt;
use server::{
    Request, Response, body,
    range::{self, Part},
    ticket::{self, Keys, Refusal, Scope},
};
use tokio::runtime::Runtime;
use tower::Service;

const NOW: Duration = Duration::from_hours(500_000);

/// A request's `Range` against a segment.
#[derive(Debug)]
pub struct RangeHeader(HeaderMap);

impl Default for RangeHeader {
    fn default() -> Self {
        Self(HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static("bytes=1000-65535"))]))
    }
}

impl RangeHeader {
    /// Decides the requested part.
    pub fn run(&self) -> Part {
        range::part(&self.0, 500_000)
    }
}

/// A path with a ticket, as a player sends it.
#[derive(Debug)]
pub struct TicketPath {
    keys: Keys,
    path: String,
    now: SystemTime,
}

impl Default for TicketPath {
    fn default() -> Self {
        let keys = Keys::read("1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        let video = "0123456789abcdef";
        let now = UNIX_EPOCH + NOW;
        let ticket = keys.mint(&Scope::video(video).unwrap(), now + Duration::from_hours(1)).text();
        Self { keys, path: format!("/t/{ticket}/v/{video}/720p/3.m4s"), now }
    }
}

impl TicketPath {
    /// Reads the ticket and verifies that it opens the path.
    pub fn run(&self) -> Result<(), Refusal> {
        let (text, path) = ticket::split(&self.path).ok_or(Refusal::BadSignature)?;
        self.keys.verify(&text.parse()?, path, self.now)
    }
}

/// A request's target, on its way to a key of the cache.
#[derive(Debug)]
pub struct RequestTarget {
    uri: Uri,
    headers: HeaderMap,
}

impl Default for RequestTarget {
    fn default() -> Self {
        let uri = Uri::from_static("/v/0123456789abcdef/720p/3.m4s?CMCD=bl%3D12000%2Csf%3Dv&part=2");
        Self { uri, headers: HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("example.org"))]) }
    }
}

impl RequestTarget {
    /// Normalises the target.
    pub fn run(&self) -> Result<Target, Invalid> {
        Target::decode("http", &self.uri, &self.headers, None)
    }
}

/// An edge that has one segment in memory, and the request for it.
#[derive(Debug)]
pub struct Hit {
    edge: Edge,
    runtime: Runtime,
}

impl Default for Hit {
    fn default() -> Self {
        let upstream = tower::service_fn(|_: Request| async {
            let mut response = Response::new(body::full(vec![7; 50_000]));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/mp4"));
            headers.insert(header::CONTENT_LENGTH, 50_000.into());
            let ever = HeaderValue::from_static("public, max-age=31536000, immutable");
            headers.insert(header::CACHE_CONTROL, ever);
            Ok::<_, Infallible>(response)
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let hit = Self { edge: Edge::new(edge::Config::default(), Clock::system(), upstream), runtime };
        // The first fetches, the second shows that it is kept.
        hit.run();
        assert!(hit.answered_at_once(), "the segment is not in memory");
        hit
    }
}

impl Hit {
    fn request() -> Request {
        let mut request = Request::new(body::empty());
        *request.uri_mut() = Uri::from_static("/v/0123456789abcdef/720p/3.m4s");
        let headers = request.headers_mut();
        headers.insert(header::HOST, HeaderValue::from_static("example.org"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static("player"));
        request
    }

    fn answered_at_once(&self) -> bool {
        let mut edge = self.edge.clone();
        // A hit is there at the first poll; a fetch would still wait.
        edge.call(Self::request()).now_or_never().is_some()
    }

    /// Asks for the segment and takes all of it; returns its bytes.
    ///
    /// # Panics
    ///
    /// When the body breaks off, which one from memory cannot.
    pub fn run(&self) -> usize {
        let mut edge = self.edge.clone();
        self.runtime.block_on(async {
            let Ok(response) = edge.call(Self::request()).await;
            let mut body = pin!(response.into_body());
            let mut bytes = 0;
            while let Some(frame) = body.frame().await {
                bytes += frame.unwrap().into_data().unwrap().len();
            }
            bytes
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_does_what_it_is_measured_for() {
        assert_eq!(RangeHeader::default().run(), Part::Bytes(1000..65536));
        assert_eq!(TicketPath::default().run(), Ok(()));
        let target = RequestTarget::default().run().unwrap();
        assert_eq!(target.as_str(), "http://example.org/v/0123456789abcdef/720p/3.m4s?part=2");
        assert_eq!(Hit::default().run(), 50_000);
    }
}
