//! The span of a request, from its head to its response's, in the traces of this process. Without traces it costs a look at the
//! log's level.

use http::{StatusCode, request::Parts};
use traces::TraceContext;
use tracing::{Span, field, trace_span};

use crate::{
    access::without_ticket,
    forwarded::{Peer, TrustedProxies},
};

// Probes and Prometheus ask every few seconds, and no trace is about them.
const LEFT_OUT: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// Begins the span of a request. It goes on with the trace of a proxy that is trusted; any other client's word would have its
/// requests sampled, and join what they have nothing to do with.
pub(crate) fn begin(request: &Parts, peer: Peer, proxies: &TrustedProxies) -> Span {
    let method = request.method.as_str();
    // The names of fields are those of OpenTelemetry's conventions for HTTP.
    let span = trace_span!(
        target: traces::REQUEST,
        "request",
        otel.name = method,
        otel.kind = "server",
        otel.status_code = field::Empty,
        http.request.method = method,
        http.response.status_code = field::Empty,
        url.path = %without_ticket(request.uri.path()),
    );
    if span.is_disabled() || LEFT_OUT.contains(&request.uri.path()) {
        return Span::none();
    }
    if proxies.contains(peer.0)
        && let Some(place) = TraceContext::of(&request.headers)
    {
        place.lead(&span);
    }
    span
}

/// Notes the response.
pub(crate) fn answered(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}
