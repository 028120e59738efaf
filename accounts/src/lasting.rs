//! Requests that outlast their first second: streams of events and uploads, which go on for hours. They end when the session or token
//! that let them in does, or its account loses rights, in whichever process that was done.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    response::{IntoResponse, Response},
};
use http::Method;
use http_body::{Frame, SizeHint};
use store::{Signal, Timestamp};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use crate::{
    Accounts,
    access::Endpoint,
    asker::{Asker, By},
    guard::sign_in_required,
};

// A session that nobody uses any more ends without a signal.
const LOOK_EVERY: Duration = Duration::from_hours(1);
const AGAIN: Duration = Duration::from_secs(1);

type Ended = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The part of a request that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The body that comes in.
    Upload,
    /// The answer.
    Events,
}

/// Returns the part of a request at `endpoint` that lasts, if one does.
pub(crate) fn part(endpoint: &Endpoint) -> Option<Part> {
    match (&endpoint.method, endpoint.path) {
        (&Method::GET, "/api/v1/events" | "/api/v1/videos/{id}/events") => Some(Part::Events),
        (&Method::POST, "/api/v1/videos" | "/api/v1/uploads" | "/api/v1/uploads/{id}")
        | (&Method::PATCH, "/api/v1/uploads/{id}") => Some(Part::Upload),
        _ => None,
    }
}

/// A request that lasts, and its end.
pub(crate) struct Lasting {
    part: Part,
    ended: Ended,
}

/// The limit of an answer.
pub(crate) enum Limit {
    None,
    Upload(Cut),
    Events(Ended),
}

/// Whether an upload's body was cut off.
#[derive(Clone, Default)]
pub(crate) struct Cut(Arc<AtomicBool>);

impl Lasting {
    /// Watches over a request of `asker` by the signals since before they were looked up.
    pub(crate) fn new(accounts: &Accounts, asker: &Asker, part: Part, signals: Receiver<Signal>) -> Self {
        let watch = Watch { accounts: accounts.clone(), asker: asker.clone(), signals };
        Self { part, ended: Box::pin(watch.ended()) }
    }

    /// Limits the body of an upload. Returns what is to limit the answer.
    pub(crate) fn limit(self, request: Request) -> (Request, Limit) {
        match self.part {
            Part::Events => (request, Limit::Events(self.ended)),
            Part::Upload => {
                let cut = Cut::default();
                let until = |body| Until { body, ended: self.ended, end: End::Cut(cut.clone()) };
                let request = request.map(|body| Body::new(until(body)));
                (request, Limit::Upload(cut))
            }
        }
    }
}

impl Limit {
    pub(crate) fn apply(self, response: Response) -> Response {
        match self {
            // The handler has seen a connection that broke.
            Self::Upload(cut) if cut.0.load(Ordering::Relaxed) => sign_in_required().into_response(),
            Self::None | Self::Upload(_) => response,
            Self::Events(ended) => response.map(|body| Body::new(Until { body, ended, end: End::Quiet })),
        }
    }
}

/// The signals by which a request's end is seen.
struct Watch {
    accounts: Accounts,
    asker: Asker,
    signals: Receiver<Signal>,
}

impl Watch {
    /// Returns once the session or token has ended, or the account is no longer what it was.
    async fn ended(mut self) {
        loop {
            self.wait().await;
            loop {
                match self.is_let_in().await {
                    Ok(true) => break,
                    Ok(false) => return,
                    Err(error) => {
                        tracing::warn!(%error, "cannot see whether a session goes on; looking again");
                    }
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
    }

    /// Waits until something may have ended.
    async fn wait(&mut self) {
        let left = self.asker.ends_at.map_or(LOOK_EVERY, |end| LOOK_EVERY.min(until(end)));
        let mut look = std::pin::pin!(tokio::time::sleep(left));
        loop {
            tokio::select! {
                () = &mut look => return,
                signal = self.signals.recv() => match signal {
                    Ok(Signal::Ended(user)) if user == self.asker.user.id => return,
                    Ok(Signal::Missed) | Err(RecvError::Lagged(_)) => return,
                    Ok(_) => {}
                    Err(RecvError::Closed) => return look.await,
                },
            }
        }
    }

    async fn is_let_in(&self) -> store::Result<bool> {
        let (accounts, idle_since) = (&self.accounts.store.accounts, self.accounts.idle_since());
        let user = match &self.asker.by {
            By::Session(id) => accounts.sessions.person(id, idle_since).await?,
            By::Token { id, .. } => accounts.tokens.person(id).await?,
        };
        Ok(user.is_some_and(|user| user.viewer() == self.asker.viewer()))
    }
}

/// Returns the time until `end`, and a moment, so that it is over then.
fn until(end: Timestamp) -> Duration {
    let left = end.0.saturating_sub(Timestamp::now().0).max(0);
    Duration::from_micros(left.unsigned_abs()) + Duration::from_millis(1)
}

/// A body that goes on until its request's end.
struct Until {
    body: Body,
    ended: Ended,
    end: End,
}

/// The way in which a body ends before its time.
enum End {
    /// As if there were no more: a browser connects again, and is judged anew.
    Quiet,
    /// By an error, for what came is not the whole file.
    Cut(Cut),
    Over,
}

impl HttpBody for Until {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if matches!(self.end, End::Over) {
            return Poll::Ready(None);
        }
        if self.ended.as_mut().poll(cx).is_pending() {
            return Pin::new(&mut self.body).poll_frame(cx);
        }
        match std::mem::replace(&mut self.end, End::Over) {
            End::Quiet | End::Over => Poll::Ready(None),
            End::Cut(cut) => {
                cut.0.store(true, Ordering::Relaxed);
                Poll::Ready(Some(Err(axum::Error::new("the sender's session or token has ended"))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.end, End::Over) || self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
