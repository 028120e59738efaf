//! In charge of the access log: one event for each request, when the last byte of its response is gone or
//! nobody wants it any more. Leaves secrets out: no query, no ticket.

use std::{
    borrow::Cow,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Instant,
};

use bytes::Bytes;
use http::{Method, StatusCode, Uri};
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use tracing::info;

use crate::{Body, BoxError, Response};

/// What is known of a request when it comes in.
pub(crate) struct Asked {
    method: Method,
    path: String,
    at: Instant,
}

impl Asked {
    pub(crate) fn new(method: &Method, uri: &Uri) -> Self {
        Self { method: method.clone(), path: without_ticket(uri.path()).into_owned(), at: Instant::now() }
    }

    /// Logs `response` when its body ends.
    pub(crate) fn answered(self, response: Response) -> Response {
        let status = response.status();
        response.map(|inner| Counted { inner, asked: self, status, bytes: 0, whole: false }.boxed_unsync())
    }
}

/// A ticket is a right to play; who reads the log must not get it.
fn without_ticket(path: &str) -> Cow<'_, str> {
    let Some(rest) = path.strip_prefix("/t/") else { return path.into() };
    let after = rest.find('/').map_or("", |slash| &rest[slash..]);
    format!("/t/-{after}").into()
}

struct Counted {
    inner: Body,
    asked: Asked,
    status: StatusCode,
    bytes: u64,
    whole: bool,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.inner).poll_frame(cx));
        match &frame {
            None => self.whole = true,
            Some(Ok(frame)) => self.bytes += frame.data_ref().map_or(0, |data| data.len() as u64),
            Some(Err(error)) => tracing::warn!(path = self.asked.path, %error, "a response broke off"),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        info!(
            target: "access",
            method = %self.asked.method,
            path = self.asked.path,
            status = self.status.as_u16(),
            bytes = self.bytes,
            ms = self.asked.at.elapsed().as_millis() as u64,
            // hyper stops asking once it has the promised length, so the end itself is not always seen.
            whole = self.whole || self.inner.is_end_stream(),
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
            ("/tea/secret", "/tea/secret"),
        ] {
            assert_eq!(without_ticket(path), expected);
        }
    }
}
