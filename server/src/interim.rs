//! In charge of interim answers (RFC 9110 §15.2), which go out in front of the answer that they announce. hyper's server
//! cannot send them, so over HTTP/1.1, whose connections answer one request at a time, they are slipped into the
//! connection; over HTTP/2 they are given to their stream.

mod hints;
mod line;

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use http::{HeaderMap, Response, StatusCode, Version, header};
use tokio::sync::mpsc;

pub(crate) use hints::Hints;
pub(crate) use line::{Line, Spoken};

// Hints are short. What comes beyond this before the client takes any is left out, over HTTP/2 beyond this in all: h2 does
// not tell what it has taken.
const MOST: usize = 16 * 1024;

tokio::task_local! {
    static WAY: Way;
}

/// How interim answers get to the client of what this task answers.
enum Way {
    Line(Arc<Line>),
    Stream(Hints),
}

/// Where the interim answers to one request go.
#[derive(Clone, Debug)]
pub struct Interim(Goal);

#[derive(Clone, Debug)]
enum Goal {
    Line { line: Arc<Line>, request: u64 },
    Stream(mpsc::Sender<Response<()>>),
}

impl Interim {
    /// Returns that of the request of `version` which this task is answering. `None` where there is no way: HTTP/1.0 has
    /// no interim answers.
    pub fn of(version: Version) -> Option<Self> {
        let way = |way: &Way| match way {
            Way::Line(line) => line.interim(),
            Way::Stream(hints) => hints.interim(),
        };
        (version >= Version::HTTP_11).then(|| WAY.try_with(way).ok()).flatten()
    }

    /// Sends an answer, unless the last one is on its way already. 100 (Continue) is the server's to say, and 101
    /// (Switching Protocols) is no interim answer.
    pub fn send(&self, status: StatusCode, mut headers: HeaderMap) {
        if !status.is_informational()
            || matches!(status, StatusCode::CONTINUE | StatusCode::SWITCHING_PROTOCOLS)
        {
            return;
        }
        // RFC 9110 §8.6 and RFC 9112 §6.1: neither is sent in a 1xx.
        headers.remove(header::CONTENT_LENGTH);
        headers.remove(header::TRANSFER_ENCODING);
        self.say(status, headers);
    }

    /// Tells the client to go on, and send the body (RFC 9110 §10.1.1).
    pub(crate) fn go_on(&self) {
        self.say(StatusCode::CONTINUE, HeaderMap::new());
    }

    fn say(&self, status: StatusCode, headers: HeaderMap) {
        match &self.0 {
            Goal::Line { line, request } => line.put(*request, status, &headers),
            Goal::Stream(stream) => {
                let mut response = Response::new(());
                *response.status_mut() = status;
                *response.headers_mut() = headers;
                // None is taken any more behind the last answer.
                let _ = stream.try_send(response);
            }
        }
    }
}

/// Waits for the next interim answer to what this task, a stream's, is answering.
pub(crate) fn poll_next(cx: &mut Context<'_>) -> Poll<Response<()>> {
    let next = WAY.try_with(|way| match way {
        Way::Stream(hints) => hints.poll_next(cx),
        Way::Line(_) => Poll::Pending,
    });
    next.unwrap_or(Poll::Pending)
}

/// Notes that the request which this task is answering has its last answer: what comes later comes too late.
pub(crate) fn answered() {
    let _ = WAY.try_with(|way| {
        if let Way::Line(line) = way {
            line.answered();
        }
    });
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    pub(super) fn hint(to: &Interim, value: &str) {
        let headers = HeaderMap::from_iter([(header::LINK, HeaderValue::from_str(value).unwrap())]);
        to.send(StatusCode::EARLY_HINTS, headers);
    }
}
