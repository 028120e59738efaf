//! In charge of `clipcut serve`: every role in one process on one port.

use anyhow::{Context, Result};
use axum::routing::get;
use origin::Origin;
use server::{Listener, Metrics};
use store::Store;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{demo, stop};
use crate::{config::Config, front_end};

/// Whether an empty library gets a first video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demo {
    WhenEmpty,
    Never,
}

/// Serves until a stop signal.
pub(crate) async fn run(config: &Config, demo: Demo) -> Result<()> {
    let tls = config.tls()?;
    let store = Store::embedded(&config.data).await?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("cannot listen on {}; another program may: choose another with --listen", config.listen)
    })?;
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(packager::run(store.clone(), config.packager(), shutdown.clone()));
    if demo == Demo::WhenEmpty {
        let (store, config) = (store.clone(), config.clone());
        tasks.spawn(async move { demo::fill(&store, &config).await });
    }
    tasks.spawn(stop::on_signal(shutdown.clone())?);
    let origin = Origin::new(store, config.origin(), shutdown.clone());
    let expiry = origin.clone();
    tasks.spawn(async move { expiry.expire_uploads().await });
    if let Some(tls) = tls.clone() {
        tasks.spawn(tls.follow(shutdown.clone()));
    }
    tasks.close();

    let metrics = Metrics::new();
    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!("serving {scheme}://{}", listener.local_addr()?);
    let listener = Listener::from(listener).tls(tls).metrics(&metrics);
    let service =
        origin.router().route("/metrics", get(async move || metrics.answer())).fallback(front_end::serve);
    server::serve(listener, service, config.server(), shutdown).await;
    origin.finish().await;
    tasks.wait().await;
    Ok(())
}
