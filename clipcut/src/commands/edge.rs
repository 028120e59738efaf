//! `clipcut edge`: the caching proxy alone, in front of origins elsewhere.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use clap::Args as Arguments;
use edge::{Clock, Edge, Front, Origins};
use server::{Listener, Metrics};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::stop;
use crate::config::Config;

/// The flags of `clipcut edge`.
#[derive(Debug, Arguments)]
pub(crate) struct Args {
    /// An origin to fetch from, as scheme and host; several share the work
    #[arg(long, value_name = "URL")]
    origin: Vec<String>,
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Memory of the edge, of which 80MiB are for its own work [default: 256MiB]
    #[arg(long, value_name = "SIZE")]
    memory: Option<String>,
}

impl Args {
    pub(crate) fn flags(&self) -> BTreeMap<String, String> {
        let origins = (!self.origin.is_empty()).then(|| self.origin.join(","));
        let given = [
            ("edge_origins", origins),
            ("listen", self.listen.clone()),
            ("edge_memory", self.memory.clone()),
        ];
        given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

/// Serves until a stop signal.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let origins = Origins::new(&config.edge_origins.0)
        .context("--origin (or edge_origins) names where to fetch from")?;
    let tls = config.tls()?;
    let mut settings = config.edge()?;
    let listener = Listener::shared(config.listen, config.edge_workers()).with_context(|| {
        format!("cannot listen on {}; another program may: choose another with --listen", config.listen)
    })?;
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(stop::on_signal(shutdown.clone())?);
    tasks.spawn(origins.clone().watch(shutdown.clone()));
    if let Some(tls) = tls.clone() {
        settings.scheme = "https";
        tasks.spawn(tls.follow(shutdown.clone()));
    }
    if let Some(peers) = settings.peers.clone() {
        tasks.spawn(peers.watch(shutdown.clone()));
    }
    tasks.close();
    let edge = Edge::new(settings, Clock::system(), origins.clone());
    let metrics = Metrics::new();

    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!("serving {scheme}://{}", listener.local_addr()?);
    let listener = listener.tls(tls).metrics(&metrics);
    let front = Front::new(edge.clone(), origins.clone(), metrics, shutdown.clone());
    server::serve(listener, front, config.server(), shutdown).await;
    edge.finish().await;
    tasks.wait().await;
    origins.finish().await;
    Ok(())
}
