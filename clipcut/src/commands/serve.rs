//! `clipcut serve`: every role in one process on one port, the edge in front of the origin.

use anyhow::Result;
use edge::{Clock, Edge};
use origin::Origin;
use tokio_util::sync::CancellationToken;
use transcriber::service::Service;

use super::{accounts, demo, process::Process, purge};
use crate::{
    config::Config,
    front_end::{self, Pages},
};

/// Whether an empty library gets a first video.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demo {
    WhenEmpty,
    Never,
}

/// Serves until a stop signal.
pub(crate) async fn run(config: &Config, demo: Demo) -> Result<()> {
    // Settings are read before anything opens, so that a mistake leaves no lock, no socket and no half start.
    let config = &config.with_own_keys()?;
    let purge_client = config.purge_client()?;
    let mut settings = config.edge()?;
    let origin_settings = config.origin()?;
    let store = config.store().await?;
    let mut process = Process::bind(config).await?.with_edge(config);
    process.count_store(&store);
    let health = process.health(&store);
    let process = process.with_health(health);
    let (tasks, shutdown) = (&process.tasks, &process.shutdown);
    tasks.spawn(packager::run(store.clone(), config.packager(), shutdown.clone()));
    if config.captions.0 {
        let models = config.models.clone();
        tasks.spawn(transcriber::run(store.clone(), config.transcriber(), models, shutdown.clone()));
    }
    if demo == Demo::WhenEmpty {
        let (store, config) = (store.clone(), config.clone());
        // The demo is made beside the server: ffmpeg takes seconds, and the page is there at once.
        tasks.spawn(async move { demo::fill(&store, &config).await });
    }
    let origin = Origin::new(store.clone(), origin_settings, shutdown.clone());
    let sweeper = origin.clone();
    tasks.spawn(async move { sweeper.expire_uploads().await });
    let (followed, until) = (store.clone(), shutdown.clone());
    tasks.spawn(async move { followed.follow_revocations(until).await });
    // It has a model instance of its own, so that an hour's film in the library does not delay requests.
    let speech = Service::new(config.speech(), shutdown.clone())?;
    speech.count(&process.metrics);

    let router = origin.router().merge(speech.router());
    let guarded = accounts::guarded(config, &process, accounts::Service { store: &store, router }).await?;
    let pages = if config.accounts.0 { Pages::All } else { Pages::WithoutAccounts };
    let service = guarded.fallback(async move |request| front_end::serve(pages, request));
    settings.scheme = process.scheme;
    // Only edges that stand alone have peers: this one has its origin in the same process.
    settings.peers = None;
    // The page's files are in this process already, in brotli too, which a cache that keys by gzip or identity
    // would not ask for.
    settings.bypass.extend(["/assets/", "/healthz", "/readyz", "/v1/"].map(str::to_owned));
    let edge = Edge::new(settings, Clock::system(), service);
    edge.register(&process.metrics);
    // Cancelled at the end of the drain: until then viewers are served and purges matter.
    let drained = CancellationToken::new();
    let purged = edge.clone();
    tasks.spawn(purge::follow(store.signals.subscribe(), drained.clone(), move |purge| {
        let edge = purged.clone();
        async move { edge.purge(purge).await }
    }));
    if let Some(purge_client) = purge_client {
        purge::announce(purge_client, &store.signals, tasks, &drained);
    }
    let finish = async {
        drained.cancel();
        // The edge comes first: its fetches and prefetches are requests to the origin, which must still answer them.
        edge.finish().await;
        origin.finish().await;
    };
    process.run("serving", edge.clone(), finish).await
}
