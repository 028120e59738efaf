//! In charge of what is not answered from the cache: it goes to the origin as it came, and back. What it
//! changes there is forgotten here (RFC 9111 §4.4).

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, StreamBody};
use server::{Body, Interim, Request};

use crate::{
    House, Payload, answer,
    cache_status::{Forward, Status},
    flight::Failure,
    hop,
    key::Target,
    table::Fate,
    token,
};

const EVENTS: &[u8] = b"text/event-stream";

impl House {
    /// Passes a request on, and the answer back.
    pub(crate) async fn pass(
        self: Arc<Self>,
        target: Target,
        request: Request,
        why: Forward,
    ) -> Response<Payload> {
        self.figures.passed.inc();
        let (mut parts, body) = request.into_parts();
        let method = parts.method.clone();
        parts.uri = target.path_and_query().parse::<Uri>().unwrap_or_default();
        if let Some(client) = Interim::of(parts.version) {
            parts.extensions.insert(client);
        }
        parts.version = http::Version::HTTP_11;
        hop::drop_hop_by_hop(&mut parts.headers);
        parts.headers.remove(token::NAME);
        // RFC 9110 §7.6.3
        parts.headers.append(header::VIA, self.via.clone());
        if let Ok(host) = HeaderValue::from_str(target.host()) {
            parts.headers.insert(header::HOST, host);
        }
        let status = Status::forwarded(Some(why));
        let described = (method == Method::HEAD)
            .then(|| self.memory.get(target.as_str())?.find(&parts.headers).cloned())
            .flatten();
        let asked = (self.ask)(Request::from_parts(parts, body));
        // Who sends a body decides itself how long that takes; the listener's clock watches it.
        let answered = if matches!(method, Method::GET | Method::HEAD) {
            tokio::time::timeout(self.config.first_byte, asked).await.map_err(|_| Failure::Silent)
        } else {
            Ok(asked.await)
        };
        let response = match answered {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                tracing::warn!(path = target.path(), error, "no origin answers");
                return self.no_answer(Failure::Unreachable, &status);
            }
            Err(failure) => return self.no_answer(failure, &status),
        };
        if !is_safe(&method) && (response.status().is_success() || response.status().is_redirection()) {
            self.invalidate(&target, response.headers());
        }
        // RFC 9111 §4.3.5: a HEAD that describes something else than what is stored ends it.
        if response.status() == StatusCode::OK
            && let Some(stored) = described
            && !stored.head.is_of(response.headers())
        {
            self.forget(&target);
        }
        // Events come when there are some; all else may not stop in the middle.
        let endless = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(EVENTS));
        let response = if endless { response } else { response.map(|body| restless(body, self.config.idle)) };
        self.passed_on(response, &status)
    }

    /// Makes the origin's answer to one request ours.
    pub(crate) fn passed_on(&self, response: server::Response, status: &Status) -> Response<Payload> {
        let (mut parts, body) = response.into_parts();
        hop::drop_hop_by_hop(&mut parts.headers);
        let status = Status { origin_said: Some(parts.status), ..*status };
        status.append(&self.config.name, &mut parts.headers);
        let mut response = Response::new(Payload::Stream(body));
        *response.status_mut() = parts.status;
        *response.headers_mut() = parts.headers;
        response
    }

    fn no_answer(&self, failure: Failure, status: &Status) -> Response<Payload> {
        self.figures.failures.inc();
        let mut response = answer::problem(failure.problem());
        status.append(&self.config.name, response.headers_mut());
        response
    }

    /// Forgets what an unsafe method changed: its target, and what the answer names of the same origin. Other
    /// origins' keys are theirs: else one could empty another's cache.
    fn invalidate(&self, target: &Target, response: &HeaderMap) {
        let named = [header::LOCATION, header::CONTENT_LOCATION];
        let named = named.iter().filter_map(|name| target.same_origin(response.get(name)?.to_str().ok()?));
        named.chain([target.clone()]).for_each(|changed| self.forget(&changed));
    }

    fn forget(&self, target: &Target) {
        self.table.sweep(|key, _| if key.as_str() == target.as_str() { Fate::Doomed } else { Fate::Spared });
        self.memory.remove(target.as_str());
    }
}

/// Returns a body that fails when no byte of it comes for `idle`.
fn restless(body: Body, idle: Duration) -> Body {
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

/// RFC 9110 §9.2.1
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}
