//! In charge of `clipcut transcriber`: the HTTP service that turns sounds into words, alone.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use axum::routing::get;
use clap::Args as Arguments;
use server::{Listener, Metrics};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use transcriber::service::Service;

use super::stop;
use crate::config::Config;

/// What can be said on the command line.
#[derive(Debug, Arguments)]
pub(crate) struct Args {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// The speech model: a folder in `models`, or a path [default: whisper-tiny]
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
}

impl Args {
    pub(crate) fn flags(&self) -> BTreeMap<String, String> {
        let given = [("listen", &self.listen), ("model", &self.model)];
        given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?))).collect()
    }
}

/// Serves until a stop signal. Without a model it lives, is not ready, and says what is missing.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let tls = config.tls()?;
    let listener = TcpListener::bind(config.listen).await.with_context(|| {
        format!("cannot listen on {}; another program may: choose another with --listen", config.listen)
    })?;
    let shutdown = CancellationToken::new();
    let tasks = TaskTracker::new();
    tasks.spawn(stop::on_signal(shutdown.clone())?);
    if let Some(tls) = tls.clone() {
        tasks.spawn(tls.follow(shutdown.clone()));
    }
    tasks.close();
    let told = config.speech();
    let folder = told.folder.display().to_string();
    let speech =
        Service::new(told, shutdown.clone()).with_context(|| format!("cannot make the folder {folder}"))?;
    let metrics = Metrics::new();
    speech.count(&metrics);

    let scheme = if tls.is_some() { "https" } else { "http" };
    tracing::info!("transcribing at {scheme}://{}/v1", listener.local_addr()?);
    let listener = Listener::from(listener).tls(tls).metrics(&metrics);
    let service =
        speech.router().merge(speech.health()).route("/metrics", get(async move || metrics.answer()));
    server::serve(listener, service, config.server(), shutdown).await;
    tasks.wait().await;
    Ok(())
}
