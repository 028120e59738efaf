//! The access log and the counts of requests. A request is logged when the last byte of its response is written or the
//! client is gone, since only then its bytes and its end are known. Secrets stay out: no query, no ticket.
//!
//! The setting `log = "info,access=debug"` turns it on. It is off at first: a line for each segment of each viewer is
//! more than most installations keep, and costs more than to answer from memory.

use std::{borrow::Cow, net::IpAddr, sync::Arc, time::Instant};

use bytes::Bytes;
use http::{Method, StatusCode, request::Parts};
use http_body::Frame;
use tracing::{Level, debug, enabled, field, warn};

use crate::{BoxError, forwarded::TrustedProxies, metrics::Counts};

/// A request from its head on, before its response is known.
pub(crate) struct AccessLogEntry {
    counts: Arc<Counts>,
    at: Instant,
    line: Option<Box<Line>>,
}

struct Line {
    client: Option<IpAddr>,
    method: Method,
    path: String,
}

impl AccessLogEntry {
    /// Opens the entry of `request`, whose client is known by its connection or by a trusted proxy.
    pub(crate) fn new(counts: Arc<Counts>, request: &Parts, proxies: &TrustedProxies) -> Self {
        let line = enabled!(target: "access", Level::DEBUG).then(|| {
            let peer = request.extensions.get().copied();
            Box::new(Line {
                client: proxies.original(peer, &request.headers).client,
                method: request.method.clone(),
                path: without_ticket(request.uri.path()).into_owned(),
            })
        });
        Self { counts, at: Instant::now(), line }
    }

    /// Goes on until the body of the response ends.
    pub(crate) fn answered(self, status: StatusCode) -> ResponseRecord {
        self.counts.answered(status, self.at.elapsed());
        ResponseRecord { entry: self, status, bytes: 0, whole: false }
    }
}

/// A ticket is a right to play, which a reader of the log must not get. It stands behind `/t/`, and behind `/%74/` as
/// well: the server refuses that spelling, but the ticket in it stays valid.
pub(crate) fn without_ticket(path: &str) -> Cow<'_, str> {
    let leads = |segment: &str| segment == "t" || segment == "%74";
    if !path.split('/').any(leads) {
        return path.into();
    }
    let mut behind = false;
    let shown = path.split('/').map(|segment| {
        let hides = std::mem::replace(&mut behind, leads(segment)) && !segment.is_empty();
        if hides { "-" } else { segment }
    });
    shown.collect::<Vec<_>>().join("/").into()
}

/// The account of a response's body; closed when it is dropped.
pub(crate) struct ResponseRecord {
    entry: AccessLogEntry,
    status: StatusCode,
    bytes: u64,
    whole: bool,
}

impl ResponseRecord {
    pub(crate) fn saw(&mut self, frame: Option<&Result<Frame<Bytes>, BoxError>>) {
        match frame {
            None => self.whole = true,
            Some(Ok(frame)) => self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64),
            Some(Err(error)) => {
                let path = self.entry.line.as_ref().map(|line| line.path.as_str());
                warn!(path, status = self.status.as_u16(), %error, "a response broke off");
            }
        }
    }
}

impl Drop for ResponseRecord {
    fn drop(&mut self) {
        self.entry.counts.sent(self.bytes);
        let Some(line) = &self.entry.line else { return };
        debug!(
            target: "access",
            client = line.client.map(field::display),
            method = %line.method,
            path = line.path,
            status = self.status.as_u16(),
            bytes = self.bytes,
            ms = self.entry.at.elapsed().as_millis() as u64,
            // hyper stops asking once it has the promised length, so only bodies of no length say so.
            record = self.whole,
            "answered"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_do_not_reach_the_log() {
        for (path, expected) in [
            ("/v/abc/master.m3u8", "/v/abc/master.m3u8"),
            ("/t/secret/v/abc/master.m3u8", "/t/-/v/abc/master.m3u8"),
            ("/t/secret", "/t/-"),
            ("/%74/secret/v/1/a", "/%74/-/v/1/a"),
            ("/./t/secret/v/1/a", "/./t/-/v/1/a"),
            ("/v/t", "/v/t"),
            ("/tea/secret", "/tea/secret"),
        ] {
            assert_eq!(without_ticket(path), expected);
        }
    }
}
