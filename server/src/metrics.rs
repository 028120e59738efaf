//! `/metrics`: one registry for a process, which every role adds its own counts to, and the counts that all HTTP roles
//! share. Names follow Prometheus: `clipcut_*_total`, `_seconds`, `_bytes`.

mod exposition;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http::{HeaderMap, HeaderValue, StatusCode, header};
use prometheus_client::encoding::text;

use crate::{Problem, Response, body};
use exposition::Format;

pub use prometheus_client::{
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::Registry,
};

/// The metrics of this process: a handle that is cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
    updates: Updates,
    counts: Arc<Counts>,
}

type Updates = Arc<Mutex<Vec<Box<dyn Fn() + Send + Sync>>>>;

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Makes a registry that holds the counts of listening.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("clipcut");
        let counts = Arc::new(Counts::new(&mut registry));
        Self { registry: Arc::new(Mutex::new(registry)), updates: Arc::default(), counts }
    }

    /// Lets a role add its own. Names go without `clipcut_`, and counters without `_total`: both are added.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Has `update` run before each answer, for gauges of what nobody counts as it happens.
    pub fn before_answer(&self, update: impl Fn() + Send + Sync + 'static) {
        self.updates.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(update));
    }

    /// Answers `/metrics` in the form that the request's fields ask for.
    pub fn answer(&self, request: &HeaderMap) -> Response {
        let format = Format::of(request);
        self.updates.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|update| update());
        let mut out = String::new();
        let encoded = text::encode(&mut out, &self.registry.lock().unwrap_or_else(PoisonError::into_inner));
        if let Err(error) = encoded {
            tracing::error!(%error, "cannot write the metrics");
            return Problem::internal().into();
        }
        let mut response = Response::new(body::full(format.write(out)));
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, format.content_type());
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    pub(crate) fn counts(&self) -> Arc<Counts> {
        self.counts.clone()
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// The counts of every listener. Plain atomics: a `Family` would take a lock and hash the labels at each request, so
/// each count is looked up once.
#[derive(Debug)]
pub(crate) struct Counts {
    // By the status's first digit, from 1 to 5; what HTTP does not know counts as 5.
    answered: [Counter; 5],
    sent: Counter,
    seconds: Histogram,
    pub(crate) connections: Gauge,
}

impl Default for Counts {
    fn default() -> Self {
        Self::new(&mut Registry::default())
    }
}

impl Counts {
    fn new(registry: &mut Registry) -> Self {
        let answered = Family::<[(&str, &str); 1], Counter>::default();
        let of = |class| answered.get_or_create_owned(&[("status", class)]);
        let counts = Self {
            answered: [of("1xx"), of("2xx"), of("3xx"), of("4xx"), of("5xx")],
            sent: Counter::default(),
            // 0.1 ms to 13 s: from a hit in memory to a segment that was waited for.
            seconds: Histogram::new(exponential_buckets(0.0001, 2.0, 18)),
            connections: Gauge::default(),
        };
        registry.register("http_requests", "Requests answered, by the status's class", answered);
        registry.register(
            "http_sent_bytes",
            "Bytes of responses' bodies handed to the connection",
            counts.sent.clone(),
        );
        registry.register(
            "http_request_seconds",
            "Time from a request's head to its response's",
            counts.seconds.clone(),
        );
        registry.register("http_connections", "Connections that are open", counts.connections.clone());
        counts
    }

    pub(crate) fn answered(&self, status: StatusCode, took: Duration) {
        let class = usize::from(status.as_u16() / 100).clamp(1, 5);
        self.answered[class - 1].inc();
        self.seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn sent(&self, bytes: u64) {
        self.sent.inc_by(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn metrics_of_roles_appear_in_prometheus_text() {
        let metrics = Metrics::new();
        let hits = Counter::<u64>::default();
        metrics.register(|registry| registry.register("edge_hits", "Answers from memory", hits.clone()));
        hits.inc();
        metrics.counts().answered(StatusCode::NOT_FOUND, Duration::from_millis(3));
        metrics.counts().sent(1234);
        let accept = HeaderValue::from_static("application/openmetrics-text");
        let response = metrics.answer(&HeaderMap::from_iter([(header::ACCEPT, accept)]));
        assert_eq!(response.headers()[header::CONTENT_TYPE], Format::OpenMetrics.content_type());
        let text = body::collect(response.into_body(), 100_000).await.unwrap();
        let text = str::from_utf8(&text).unwrap();
        for line in [
            "clipcut_edge_hits_total 1\n",
            "clipcut_http_requests_total{status=\"4xx\"} 1\n",
            "clipcut_http_requests_total{status=\"2xx\"} 0\n",
            "clipcut_http_sent_bytes_total 1234\n",
            "clipcut_http_request_seconds_count 1\n",
            "clipcut_http_connections 0\n",
            "# EOF\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
