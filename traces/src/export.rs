//! Spans on their way to a collector: which are sampled, and batches by OTLP over HTTP from a thread of their own. A collector
//! that is away costs the spans and a line of the log a minute; no request and no job waits for it.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter as Otlp, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{BatchConfigBuilder, BatchSpanProcessor, Sampler, SdkTracerProvider, SpanData, SpanExporter},
};
use tracing::{Metadata, level_filters::LevelFilter, subscriber::Interest};
use tracing_subscriber::{
    Layer, Registry,
    filter::Targets,
    layer::{Context, Filter},
};

use crate::REQUEST;

// Spans beyond a full queue are dropped: it has some megabytes at most.
const QUEUE: usize = 2048;
const BATCH: usize = 512;
const EVERY: Duration = Duration::from_secs(1);
const TIMEOUT: Duration = Duration::from_secs(5);
const COMPLAINTS: Duration = Duration::from_mins(1);
// A process that ends waits so long for its last spans to leave.
const FAREWELL: Duration = Duration::from_secs(3);
// Crates of ours: spans and lines of others, such as those of the client that sends the spans, would go round in circles.
const OURS: [&str; 8] =
    ["accounts", "clipcut", "edge", "origin", "packager", "server", "store", "transcriber"];

/// The spans to send, and their collector.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The collector, as scheme, host and port; OTLP's path is added.
    pub endpoint: String,
    /// The share of traces that are made, from 0 to 1, of those that begin here; those that come from elsewhere are decided on.
    pub sample: f64,
    /// The role.
    pub role: String,
    /// The machine, which in a container is the container.
    pub machine: String,
    /// The program's.
    pub version: &'static str,
}

/// The way of spans to the collector.
#[derive(Debug)]
pub struct Exporter(SdkTracerProvider);

impl Exporter {
    /// Begins to send. The collector need not be there.
    pub fn begin(settings: &Settings) -> Result<Self, ExporterBuildError> {
        // Fails only when one is installed already.
        _ = rustls::crypto::ring::default_provider().install_default();
        let endpoint = format!("{}/v1/traces", settings.endpoint.trim_end_matches('/'));
        let otlp = Otlp::builder().with_http().with_endpoint(endpoint).with_timeout(TIMEOUT).build()?;
        let quiet = Quiet { otlp, lost: Mutex::default() };
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(QUEUE)
            .with_max_export_batch_size(BATCH)
            .with_scheduled_delay(EVERY)
            .build();
        let resource = Resource::builder()
            .with_service_name(format!("clipcut-{}", settings.role))
            .with_attributes([
                KeyValue::new("service.version", settings.version),
                KeyValue::new("host.name", settings.machine.clone()),
            ])
            .build();
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(settings.sample)));
        let provider = SdkTracerProvider::builder()
            .with_sampler(sampler)
            .with_resource(resource)
            .with_span_processor(BatchSpanProcessor::builder(quiet).with_batch_config(batches).build())
            .build();
        Ok(Self(provider))
    }

    /// Returns the layer that makes spans of ours spans of traces, and lines that are logged in them their events.
    pub fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let ours = Targets::new().with_targets(OURS.map(|name| (name, LevelFilter::INFO)));
        tracing_opentelemetry::layer()
            .with_tracer(self.0.tracer("clipcut"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
            // Nothing here asks OpenTelemetry for the context; a span is asked.
            .with_context_activation(false)
            .with_filter(Ours(ours.with_target(REQUEST, LevelFilter::TRACE)))
            .boxed()
    }

    /// Sends what is left, and blocks for some seconds at most.
    pub fn finish(&self) {
        if let Err(error) = self.0.shutdown_with_timeout(FAREWELL) {
            tracing::debug!(%error, "the last spans did not leave");
        }
    }
}

/// The filter of spans and lines that are ours, which has itself asked at each of them.
struct Ours(Targets);

impl<S> Filter<S> for Ours {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.0.would_enable(metadata.target(), metadata.level())
    }

    // A library that asks by the crate `log` whether a line would be logged, and logs none, leaves its answer to the thread's next
    // line. That line asks anew, unless all filters have it always: with a filter that never says so none gets lost.
    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.0.would_enable(metadata.target(), metadata.level()) {
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }
}

/// An exporter that says once a minute what it could not send.
#[derive(Debug)]
struct Quiet {
    otlp: Otlp,
    lost: Mutex<Lost>,
}

#[derive(Debug, Default)]
struct Lost {
    spans: usize,
    logged: Option<Instant>,
}

impl SpanExporter for Quiet {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let sent = self.otlp.export(batch).await;
        if let Err(error) = &sent {
            let mut lost = self.lost.lock().unwrap_or_else(PoisonError::into_inner);
            lost.spans += spans;
            if lost.logged.is_none_or(|at| at.elapsed() >= COMPLAINTS) {
                tracing::warn!(spans = lost.spans, %error, "cannot send traces (otlp_endpoint); these are lost");
                *lost = Lost { spans: 0, logged: Some(Instant::now()) };
            }
        }
        sent
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.otlp.shutdown_with_timeout(timeout)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.otlp.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.otlp.set_resource(resource);
    }
}
