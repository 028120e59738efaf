//! The operators' listener: metrics, health, the log's filter and CPU profiles, on an address of its own that no viewer
//! reaches.

mod profile;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderMap, StatusCode};
use server::{Limits, Listener, Metrics, Problem};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::library_metrics::LibraryMetrics;
use crate::{config::Config, log};

// Probes of one node, a Prometheus or two, and a person.
const CONNECTIONS: usize = 64;
// A filter is a line.
const MOST_FILTER: usize = 4096;
const NOWHERE: &str = "There is nothing at this address.";

/// The listener before it serves.
#[derive(Debug)]
pub(super) struct Admin {
    /// Where it listens.
    pub(super) address: std::net::SocketAddr,
    /// The figures of the library, for a process that reaches one.
    pub(super) library: Option<LibraryMetrics>,
    /// `/healthz` and `/readyz` of the role.
    pub(super) health: Router,
    socket: TcpListener,
    metrics: Metrics,
}

impl Admin {
    /// Binds the address.
    pub(super) async fn bind(config: &Config, metrics: &Metrics) -> Result<Self> {
        let in_use = || {
            format!(
                "cannot listen on {}, the operators' address; another program may: choose another by admin_listen (CLIPCUT_ADMIN_LISTEN)",
                config.admin_listen
            )
        };
        let socket = TcpListener::bind(config.admin_listen).await.with_context(in_use)?;
        let build = server::metrics::Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        metrics.register(|registry| registry.register("build", "The program", build));
        Ok(Self {
            address: socket.local_addr()?,
            library: None,
            health: Router::new(),
            socket,
            metrics: metrics.clone(),
        })
    }

    /// Serves until `ended`.
    pub(super) async fn serve(self, ended: CancellationToken) {
        let Self { library, health, socket, metrics, .. } = self;
        let library = Arc::new(library);
        let answer = move |asked: HeaderMap| {
            let (library, metrics) = (library.clone(), metrics.clone());
            async move {
                if let Some(library) = &*library {
                    library.update().await;
                }
                metrics.answer(&asked)
            }
        };
        let router = Router::new()
            .route("/metrics", get(answer))
            .route("/log", get(filter).put(set_filter))
            .route("/debug/pprof/profile", get(profile::take))
            .merge(health)
            .fallback(async || problem(Problem::new(StatusCode::NOT_FOUND, "unknown_path", NOWHERE)))
            .layer(DefaultBodyLimit::max(MOST_FILTER));
        // A profile takes as long as it was asked to, and nobody waits for one at the end.
        let limits = Limits {
            connections: CONNECTIONS,
            connections_for_address: CONNECTIONS,
            drain: Duration::from_millis(100),
            ..Limits::default()
        };
        server::serve(Listener::from(socket), router, limits, ended).await;
    }
}

async fn filter() -> String {
    log::filter().unwrap_or_default() + "\n"
}

async fn set_filter(text: String) -> Response {
    match log::set_filter(&text) {
        Ok(()) => {
            tracing::info!(filter = text.trim(), "the log's filter was changed");
            StatusCode::NO_CONTENT.into_response()
        }
        Err(detail) => problem(Problem::new(StatusCode::BAD_REQUEST, "invalid_filter", detail)),
    }
}

fn problem(problem: Problem) -> Response {
    server::Response::from(problem).into_response()
}
