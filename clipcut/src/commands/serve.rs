//! `clipcut serve`: every role in one process on one port, the edge in front of the origin.

use anyhow::{Context, Result};
use axum::routing::get;
use edge::{Clock, Edge};
use origin::Origin;
use server::{Listener, Metrics};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use transcriber::service::Service;

use super::{demo, forget, role, stop};
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
    let announcer = config.announcer()?;
    let mut settings = config.edge()?;
    let origin_settings = config.origin()?;
    let store = config.store().await?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("cannot listen on {}; another program may: choose another with --listen", config.listen)
    })?;
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(packager::run(store.clone(), config.packager(), shutdown.clone()));
    if config.captions.0 {
        let models = config.models.clone();
        tasks.spawn(transcriber::run(store.clone(), config.transcriber(), models, shutdown.clone()));
    }
    if demo == Demo::WhenEmpty {
        let (store, config) = (store.clone(), config.clone());
        tasks.spawn(async move { demo::fill(&store, &config).await });
    }
    tasks.spawn(stop::on_signal(shutdown.clone())?);
    let origin = Origin::new(store.clone(), origin_settings, shutdown.clone());
    let expiry = origin.clone();
    tasks.spawn(async move { expiry.expire_uploads().await });
    if let Some(tls) = tls.clone() {
        tasks.spawn(tls.follow(shutdown.clone()));
    }

    // It has a model instance of its own, so that an hour's film in the library does not delay requests.
    let speech = Service::new(config.speech(), shutdown.clone())?;
    let metrics = Metrics::new();
    speech.count(&metrics);
    role::count(&metrics, &store);
    let scheme = if tls.is_some() { "https" } else { "http" };
    let figures = metrics.clone();
    let service = origin
        .router()
        .merge(speech.router())
        .route("/metrics", get(async move || figures.answer()))
        .fallback(front_end::serve);
    settings.scheme = scheme;
    // Only edges that stand alone have peers: this one has its origin in the same process.
    settings.peers = None;
    settings.passed.extend(["/healthz", "/readyz", "/metrics", "/v1/"].map(str::to_owned));
    let edge = Edge::new(settings, Clock::system(), service);
    edge.register(&metrics);
    // Cancelled at the end of the drain: until then viewers are served and purges matter.
    let drained = CancellationToken::new();
    let forgets = edge.clone();
    tasks.spawn(forget::follow(store.signals.subscribe(), drained.clone(), move |purge| {
        let edge = forgets.clone();
        async move { edge.purge(purge).await }
    }));
    if let Some(announcer) = announcer {
        forget::announce(announcer, &store.signals, &tasks, &drained);
    }
    tasks.close();

    tracing::info!("serving {scheme}://{}", listener.local_addr()?);
    let listener = Listener::from(listener).tls(tls).metrics(&metrics);
    server::serve(listener, edge.clone(), config.server(), shutdown).await;
    drained.cancel();
    edge.finish().await;
    origin.finish().await;
    tasks.wait().await;
    Ok(())
}
