//! Traces: what became of a request, through every process and job that worked on it, by OpenTelemetry. Here is how a trace goes
//! from one to the other, in the form of W3C's Trace Context; how spans leave is `export`'s. Roles open spans as they do for the
//! log, and know no more of it.

mod export;

pub use export::{Exporter, Settings};

use std::collections::HashMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{propagation::TextMapPropagator, trace::TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The target of the spans of requests. They are no lines of a log, which has its own of requests, so that the log's filter
/// decides nothing about them.
pub const REQUEST: &str = "request";

/// The fields by which a trace goes from one server to the next.
pub const FIELDS: [HeaderName; 2] = [TRACEPARENT, HeaderName::from_static("tracestate")];

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A place in a trace that others may go on from: a `traceparent` of W3C's Trace Context. It says whether the trace is sampled,
/// too, so that all who go on from it decide alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext(String);

impl TraceContext {
    /// Returns the place of the span that is entered; `None` where no traces are made.
    pub fn current() -> Option<Self> {
        let mut fields = HashMap::new();
        TraceContextPropagator::new().inject_context(&Span::current().context(), &mut fields);
        fields.remove(TRACEPARENT.as_str()).map(Self)
    }

    /// Returns the place that a request comes from, which any client may claim.
    pub fn of(request: &HeaderMap) -> Option<Self> {
        Self::parse(request.get(TRACEPARENT)?.to_str().ok()?)
    }

    /// Reads a `traceparent`; `None` where it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let it = Self(text.to_owned());
        it.context().span().span_context().is_valid().then_some(it)
    }

    /// Returns the text that [`Self::parse`] reads.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Has a span that nobody has entered go on from here, whatever it was made in.
    pub fn lead(&self, span: &Span) {
        // It fails where no traces are made, and then there is nothing to lead.
        _ = span.set_parent(self.context());
    }

    /// Writes it into the fields of a request that goes out.
    pub fn put(&self, request: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&self.0) {
            for name in FIELDS {
                request.remove(name);
            }
            request.insert(TRACEPARENT, value);
        }
    }

    fn context(&self) -> opentelemetry::Context {
        let fields = HashMap::from([(TRACEPARENT.as_str().to_owned(), self.0.clone())]);
        // Of this alone, and not of what the thread is at.
        TraceContextPropagator::new().extract_with_context(&opentelemetry::Context::new(), &fields)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_as_w3c_trace_context_writes_it() {
        let sampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(TraceContext::parse(sampled).unwrap().as_str(), sampled);
        for text in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_request_that_goes_out_has_one_place_and_no_state_of_others() {
        let mut headers = HeaderMap::new();
        for name in FIELDS {
            headers.append(name.clone(), HeaderValue::from_static("of-a-client"));
            headers.append(name, HeaderValue::from_static("twice"));
        }
        let place = TraceContext::parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00").unwrap();
        place.put(&mut headers);
        assert_eq!(headers.len(), 1);
        assert_eq!(TraceContext::of(&headers), Some(place));
    }

    #[test]
    fn there_is_no_place_where_no_traces_are_made() {
        let span = tracing::info_span!("job");
        assert_eq!(span.in_scope(TraceContext::current), None);
    }
}
