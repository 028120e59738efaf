//! `clipcut edge`: the caching proxy alone, in front of origins elsewhere.

use std::{
    collections::BTreeMap,
    task::{Context as Polling, Poll},
};

use anyhow::{Context, Result};
use axum::{Router, routing::get};
use clap::Args as Arguments;
use edge::{Clock, Edge, Endpoints, Origins};
use futures::future::BoxFuture;
use server::{BoxError, Request, Response, health};
use tower::Service;

use super::process::Process;
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
    /// Memory of the edge, of which 64MiB are for the program and up to a fourth for connections [default: 256MiB]
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
    let mut settings = config.edge()?;
    let process = Process::bind_workers(config).await?.with_edge(config);
    let upstreams = Upstreams { accounts: config.accounts_servers()?, origins: origins.clone() };
    for servers in upstreams.all() {
        process.tasks.spawn(servers.watch(process.shutdown.clone()));
    }
    if let Some(peers) = settings.peers.clone() {
        process.tasks.spawn(peers.watch(process.shutdown.clone()));
    }
    settings.scheme = process.scheme;
    let edge = Edge::new(settings, Clock::system(), upstreams.clone());
    edge.register(&process.metrics);
    let endpoints = Endpoints::new(edge.clone(), origins.clone(), process.shutdown.clone());
    let asked = endpoints.clone();
    let health = Router::new()
        .route("/healthz", get(async || health::live()))
        .route("/readyz", get(async move || asked.ready().await));
    let process = process.with_health(health);
    process.run("serving", endpoints, edge.finish()).await?;
    // Fetches use the origins' connections, so these are closed after the last fetch has ended.
    for servers in upstreams.all() {
        servers.finish().await;
    }
    Ok(())
}

/// The servers behind the edge. It knows no URL's meaning, so the choice between them is made here.
#[derive(Clone, Debug)]
struct Upstreams {
    /// Those of accounts, where they have servers of their own.
    accounts: Option<Origins>,
    origins: Origins,
}

impl Upstreams {
    fn all(&self) -> impl Iterator<Item = Origins> {
        self.accounts.iter().chain([&self.origins]).cloned()
    }
}

impl Service<Request> for Upstreams {
    type Response = Response;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Polling<'_>) -> Poll<Result<(), BoxError>> {
        self.origins.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        match &mut self.accounts {
            Some(servers) if accounts::is_below_paths(request.uri().path()) => servers.call(request),
            _ => self.origins.call(request),
        }
    }
}
