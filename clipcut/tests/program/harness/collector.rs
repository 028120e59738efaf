//! A collector of traces: takes OTLP over HTTP and keeps the spans.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value},
    trace::v1::ResourceSpans,
};
use prost::Message;

/// A span as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty at the root.
    pub(crate) parent: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) events: Vec<String>,
}

/// A collector on a free port.
pub(crate) struct Collector {
    pub(crate) url: String,
    kept: Kept,
}

#[derive(Clone)]
struct Kept {
    spans: Arc<Mutex<Vec<Span>>>,
    requests: Arc<Mutex<usize>>,
    answer: StatusCode,
}

impl Collector {
    /// Starts one that answers with `answer`.
    pub(crate) async fn start(answer: StatusCode) -> Self {
        let kept = Kept { spans: Arc::default(), requests: Arc::default(), answer };
        let router = Router::new().route("/v1/traces", post(take)).with_state(kept.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, kept }
    }

    /// Returns the spans so far.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.kept.spans.lock().unwrap().clone()
    }

    /// Returns how many requests came.
    pub(crate) fn requests(&self) -> usize {
        *self.kept.requests.lock().unwrap()
    }
}

async fn take(State(kept): State<Kept>, body: Bytes) -> StatusCode {
    let request = ExportTraceServiceRequest::decode(body).unwrap();
    kept.spans.lock().unwrap().extend(request.resource_spans.iter().flat_map(spans));
    *kept.requests.lock().unwrap() += 1;
    kept.answer
}

fn spans(of_process: &ResourceSpans) -> Vec<Span> {
    let resource = of_process.resource.as_ref().map(|resource| attributes(&resource.attributes));
    let service = resource.unwrap_or_default().remove("service.name").unwrap_or_default();
    let spans = of_process.scope_spans.iter().flat_map(|scope| &scope.spans);
    let made = spans.map(|span| Span {
        service: service.clone(),
        name: span.name.clone(),
        trace: hex(&span.trace_id),
        id: hex(&span.span_id),
        parent: hex(&span.parent_span_id),
        attributes: attributes(&span.attributes),
        events: span.events.iter().map(|event| event.name.clone()).collect(),
    });
    made.collect()
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.as_ref()?.value.as_ref()? {
        any_value::Value::StringValue(text) => Some(text.clone()),
        any_value::Value::IntValue(number) => Some(number.to_string()),
        _ => None,
    };
    pairs.iter().filter_map(|pair| Some((pair.key.clone(), text(pair)?))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
