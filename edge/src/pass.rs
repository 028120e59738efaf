//! Requests that the cache does not answer: they go to the origin as they came, and the answers back. An unsafe method
//! invalidates the stored responses of its target (RFC 9111 §4.4).

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, StreamBody};
use server::{Body, Request, forwarded::Peer};

use crate::{
    Config, EdgeInner, Payload, Purge, answer,
    cache_status::{CacheStatus, Forward},
    hop,
    key::Target,
    problem,
    shared_fetch::Failure,
    shown::{self, ShownTicket, TicketsFrom},
    signature, upload,
};

const EVENTS: &[u8] = b"text/event-stream";

/// A request that goes to the origin as it came.
pub(crate) struct Pass {
    pub(crate) inner: Arc<EdgeInner>,
    pub(crate) target: Target,
    pub(crate) forward: Forward,
}

impl Pass {
    /// Forwards the request, and the answer back.
    pub(crate) async fn answer(self, request: Request) -> Response<Payload> {
        let Self { inner, target, forward } = &self;
        inner.metrics.passed.inc();
        let (mut parts, body) = request.into_parts();
        let method = parts.method.clone();
        if !hop::decrement_max_forwards(&method, &mut parts.headers) {
            return answer::max_forwards_reached();
        }
        let via = inner.via.of(parts.version);
        // RFC 9110 §9.3.7: `OPTIONS *` is about the server, not about its root.
        if parts.uri.path() != "*" {
            parts.uri = target.path_and_query().parse::<Uri>().unwrap_or_default();
        }
        // A version is each connection's own: that of the client's says nothing about the line to the origin.
        parts.version = http::Version::HTTP_11;
        hop::drop_hop_by_hop(&mut parts.headers);
        let keeps_mark = shown::keeps_mark(&parts);
        // A signature is between edges: an origin need not be one of ours.
        parts.headers.remove(signature::NAME);
        if let Some(ticket) = parts.extensions.get::<ShownTicket>() {
            ticket.clone().put(&mut parts.headers);
        }
        parts.headers.append(header::VIA, via);
        if let Ok(host) = HeaderValue::from_str(target.host()) {
            parts.headers.insert(header::HOST, host);
        }
        if let Some(peer) = parts.extensions.get::<Peer>() {
            inner.config.proxies.pass_on(*peer, inner.config.scheme, &mut parts.headers);
        }
        let status = CacheStatus::forwarded(Some(*forward));
        let described = (method == Method::HEAD)
            .then(|| inner.cache.memory.get(target.as_str())?.find(&parts.headers).cloned())
            .flatten();
        let (body, progress) = upload::watched(body);
        parts.extensions.insert(progress.clone());
        let limit = if is_safe(&method) { inner.config.first_byte } else { inner.config.change };
        let answered = tokio::select! {
            answered = (inner.ask)(Request::from_parts(parts, body)) => answered,
            // A slow client is the listener's business; this limit is for the origin alone.
            () = progress.clone().origin_timeout(limit) => return self.no_answer(Failure::TimedOut, &status),
        };
        let mut response = match answered {
            Ok(response) => response,
            Err(error) if progress.is_broken() => {
                tracing::debug!(path = target.path(), error, "a request broke off");
                return problem::answer(if progress.is_stalled() {
                    problem::stalled()
                } else {
                    problem::incomplete()
                });
            }
            Err(error) => {
                tracing::warn!(path = target.path(), error, "no origin answers");
                return self.no_answer(Failure::Unreachable, &status);
            }
        };
        if !is_safe(&method) && (response.status().is_success() || response.status().is_redirection()) {
            self.invalidate_changed(response.headers()).await;
        }
        // RFC 9111 §4.3.5: an answer to HEAD that describes another version invalidates the stored one.
        if response.status() == StatusCode::OK
            && let Some(stored) = described
            && !stored.head.is_of(response.headers())
        {
            inner.cache.invalidate(target.as_str());
        }
        // The origin has judged this very request, so the mark is for another edge's cache alone.
        let mark = TicketsFrom::take(response.headers_mut()).filter(|_| keeps_mark);
        let mut response = forwarded(&inner.config, response, &status);
        if let Some(mark) = mark {
            mark.put(response.headers_mut());
        }
        response
    }

    fn no_answer(&self, failure: Failure, status: &CacheStatus) -> Response<Payload> {
        self.inner.metrics.failures.inc();
        let mut response = problem::answer(failure.problem());
        status.append(&self.inner.config.name, response.headers_mut());
        response
    }

    /// Drops the objects that an unsafe method changed: its target, and the locations of the same origin that the answer
    /// names. Keys of other origins stay (RFC 9111 §4.4): else one origin could empty the cache of another.
    async fn invalidate_changed(&self, response: &HeaderMap) {
        let Self { inner, target, .. } = self;
        let named = [header::LOCATION, header::CONTENT_LOCATION];
        let named = named.iter().filter_map(|name| target.same_origin(response.get(name)?.to_str().ok()?));
        let cached = named.chain([target.clone()]).filter(|changed| !inner.admission.is_bypassed(changed));
        let changed: Vec<Target> = cached.collect();
        for changed in &changed {
            inner.cache.invalidate(changed.as_str());
        }
        if inner.peers.is_none() || changed.is_empty() {
            return;
        }
        let keys = changed.iter().map(|changed| changed.as_str().to_owned()).collect();
        let purge = Purge { keys, ..Purge::default() };
        // A task of its own: the purge must reach all peers even if the client leaves, for the change has happened.
        let sender = inner.clone();
        let publishing = inner.tasks.spawn(async move {
            // Twice: a peer purged early may have fetched the old object again from a peer purged late.
            for _ in 0..2 {
                if let Some(peers) = &sender.peers {
                    peers.publish(&purge).await;
                }
                purge.keys.iter().for_each(|key| sender.cache.invalidate(key));
            }
        });
        if let Err(error) = publishing.await {
            tracing::error!(%error, "cannot send a purge to the peers");
        }
    }
}

/// Turns the origin's answer to one request into the edge's.
pub(crate) fn forwarded(
    config: &Config,
    response: server::Response,
    status: &CacheStatus,
) -> Response<Payload> {
    let (mut parts, body) = response.into_parts();
    // A stream of events is silent between events; any other body that stalls would hold its connection for ever.
    let kind = parts.headers.get(header::CONTENT_TYPE);
    let endless = kind.is_some_and(|kind| kind.as_bytes().starts_with(EVENTS));
    let body = if endless { body } else { with_stall_limit(body, config.idle) };
    hop::drop_hop_by_hop(&mut parts.headers);
    let status = CacheStatus { forward_status: Some(parts.status), ..*status };
    status.append(&config.name, &mut parts.headers);
    let mut response = Response::new(Payload::Stream(body));
    *response.status_mut() = parts.status;
    *response.headers_mut() = parts.headers;
    response
}

/// Returns a body that fails when no byte of it comes for `idle`.
fn with_stall_limit(body: Body, idle: Duration) -> Body {
    let frames = futures::stream::unfold(Some(body), move |body| async move {
        let mut body = body?;
        match tokio::time::timeout(idle, body.frame()).await {
            Ok(Some(Ok(frame))) => Some((Ok(frame), Some(body))),
            Ok(Some(Err(error))) => Some((Err(error), None)),
            Ok(None) => None,
            Err(_) => Some((Err("the origin went silent".into()), None)),
        }
    });
    StreamBody::new(frames).boxed_unsync()
}

/// RFC 9110 §9.2.1: methods that change nothing, and so invalidate nothing.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}
