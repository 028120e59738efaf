//! In charge of what every process of a role has: an address, a certificate, figures, and a stop that is heard.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use axum::{Router, routing::get};
use clap::Args as Arguments;
use server::{Limits, Listener, Metrics, Tls, health};
use store::Store;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::stop;
use crate::config::Config;

/// The flags of a role that has none of its own.
#[derive(Debug, Arguments)]
pub(crate) struct Args {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
}

impl Args {
    pub(crate) fn flags(&self) -> BTreeMap<String, String> {
        self.listen.iter().map(|address| ("listen".to_owned(), address.clone())).collect()
    }
}

/// Lets `metrics` tell what is wrong with `store`.
pub(super) fn count(metrics: &Metrics, store: &Store) {
    let what =
        "Reads that met bytes which are not those that were written; such a blob must come out of a backup";
    metrics.register(|registry| registry.register("store_damages", what, store.blobs.damages()));
}

/// A role's process.
#[derive(Debug)]
pub(super) struct Role {
    /// Cancelled when the process is to stop.
    pub(super) shutdown: CancellationToken,
    /// What runs beside the answers.
    pub(super) tasks: TaskTracker,
    /// The figures of the process.
    pub(super) metrics: Metrics,
    socket: TcpListener,
    tls: Option<Tls>,
    limits: Limits,
}

impl Role {
    /// Binds the address. From now on a signal stops the process in an orderly way.
    pub(super) async fn begin(config: &Config) -> Result<Self> {
        let tls = config.tls()?;
        let socket = TcpListener::bind(config.listen).await.with_context(|| {
            format!("cannot listen on {}; another program may: choose another with --listen", config.listen)
        })?;
        let (shutdown, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(stop::on_signal(shutdown.clone())?);
        if let Some(tls) = tls.clone() {
            tasks.spawn(tls.follow(shutdown.clone()));
        }
        Ok(Self { shutdown, tasks, metrics: Metrics::new(), socket, tls, limits: config.server() })
    }

    /// Returns the addresses at which a role that works for nobody who asks tells how it is: it is ready while it
    /// reaches what it works on.
    pub(super) fn health(&self, store: &Store) -> Router {
        let (shutdown, store) = (self.shutdown.clone(), store.clone());
        let ready = async move || health::ready(&shutdown, store.ping()).await;
        Router::new().route("/healthz", get(async || health::live())).route("/readyz", get(ready))
    }

    /// Answers with `service`, and with the figures, until the stop; then requests in flight are finished. At the
    /// start it is said what is done where: `doing` and the address.
    pub(super) async fn answer(self, doing: &str, service: Router) -> Result<()> {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        tracing::info!("{doing} {scheme}://{}", self.socket.local_addr()?);
        let listener = Listener::from(self.socket).tls(self.tls).metrics(&self.metrics);
        let service = service.route("/metrics", get(async move || self.metrics.answer()));
        server::serve(listener, service, self.limits, self.shutdown).await;
        Ok(())
    }
}
