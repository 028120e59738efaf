//! A process that serves HTTP: its listeners, certificate, metrics, limits and graceful shutdown. Every command that
//! listens is built on it; the services themselves are the commands' own, and what operators ask is `admin`'s.

use std::{collections::BTreeMap, num::NonZeroUsize};

use anyhow::{Context, Result};
use axum::{Router, body::HttpBody, routing::get};
use bytes::Bytes;
use clap::Args;
use server::{BoxError, Limits, Listener, Metrics, Request, Tls, health};
use store::Store;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

use super::{admin::Admin, library_metrics::LibraryMetrics, stop};
use crate::config::Config;

/// The flags of a role that has none of its own.
#[derive(Debug, Args)]
pub(crate) struct ListenArgs {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

impl ListenArgs {
    pub(crate) fn flags(&self) -> BTreeMap<String, String> {
        self.listen.iter().map(|address| ("listen".to_owned(), address.clone())).collect()
    }
}

/// A process that has bound its address, and runs until a stop signal.
#[derive(Debug)]
pub(super) struct Process {
    /// Cancelled by a stop signal.
    pub(super) shutdown: CancellationToken,
    /// The background tasks; the process ends after they have.
    pub(super) tasks: TaskTracker,
    /// The metrics of the process, which the listener's connections count into.
    pub(super) metrics: Metrics,
    /// The scheme of the address: http or https.
    pub(super) scheme: &'static str,
    listener: Listener,
    limits: Limits,
    admin: Admin,
}

impl Process {
    /// Binds the address on the program's runtime. From now on a stop signal ends the process gracefully.
    pub(super) async fn bind(config: &Config) -> Result<Self> {
        let tls = config.tls()?;
        let socket = TcpListener::bind(config.listen).await.with_context(|| in_use(config))?;
        Self::new(config, Listener::from(socket), tls).await
    }

    /// Binds the address for one worker per core, with a runtime each, so that a cache hit never crosses cores.
    pub(super) async fn bind_workers(config: &Config) -> Result<Self> {
        let tls = config.tls()?;
        // It follows CPU affinity and the quota of a container, so that it needs no setting.
        let workers = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let listener = Listener::shared(config.listen, workers).with_context(|| in_use(config))?;
        Self::new(config, listener, tls).await
    }

    async fn new(config: &Config, listener: Listener, tls: Option<Tls>) -> Result<Self> {
        let (shutdown, tasks, metrics) = (CancellationToken::new(), TaskTracker::new(), Metrics::new());
        let admin = Admin::bind(config, &metrics).await?;
        // The handlers are there before the first request: a signal in between would
        // end the process at once, as is its default.
        tasks.spawn(stop::on_signal(shutdown.clone())?);
        // The edge keys by scheme and host (RFC 9110 §4.2.2: https shares nothing with
        // http), and a request line shows no scheme.
        let scheme = if tls.is_some() { "https" } else { "http" };
        if let Some(tls) = tls.clone() {
            tasks.spawn(tls.follow(shutdown.clone()));
        }
        let listener = listener.tls(tls).metrics(&metrics);
        Ok(Self { shutdown, tasks, metrics, scheme, listener, limits: config.server(), admin })
    }

    /// Bounds the connections to what the memory of an edge in this process pays for.
    pub(super) fn with_edge(mut self, config: &Config) -> Self {
        self.limits.connections = config.edge_connections();
        self
    }

    /// Counts what the store does and what is in it.
    pub(super) fn count_store(&mut self, store: &Store) {
        self.metrics.register(|registry| store.register(registry));
        self.admin.library = Some(LibraryMetrics::new(store.clone(), &self.metrics));
    }

    /// Gives the operators' listener the health of this role.
    pub(super) fn with_health(mut self, health: Router) -> Self {
        self.admin.health = health;
        self
    }

    /// Returns `/healthz` and `/readyz` of a role that serves no requests of clients: it is ready while it reaches the
    /// databases that it works on.
    pub(super) fn health(&self, store: &Store) -> Router {
        let (shutdown, store) = (self.shutdown.clone(), store.clone());
        let ready = async move || health::ready(&shutdown, store.ping()).await;
        Router::new().route("/healthz", get(async || health::live())).route("/readyz", get(ready))
    }

    /// Serves until a stop signal and through the drain, then runs `finish`, and returns once all tasks have ended.
    /// `activity` opens the log line with the address, such as "serving".
    pub(super) async fn run<S, B>(
        self,
        activity: &str,
        service: S,
        finish: impl Future<Output = ()>,
    ) -> Result<()>
    where
        S: Service<Request, Response = axum::http::Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        tracing::info!("administration on {}", self.admin.address);
        tracing::info!("{activity} {}://{}", self.scheme, self.listener.local_addr()?);
        // Operators and probes are answered to the end: a drain is when they look.
        let ended = CancellationToken::new();
        let admin = tokio::spawn(self.admin.serve(ended.clone()));
        server::serve(self.listener, service, self.limits, self.shutdown).await;
        finish.await;
        // `wait` returns only for a tracker that is closed and empty.
        self.tasks.close();
        self.tasks.wait().await;
        ended.cancel();
        admin.await.context("the operators' listener")
    }
}

fn in_use(config: &Config) -> String {
    format!("cannot listen on {}; another program may: choose another with --listen", config.listen)
}
