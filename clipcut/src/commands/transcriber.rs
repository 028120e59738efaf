//! `clipcut transcriber`: the speech-to-text service over HTTP, and on a cluster the worker that writes captions.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use clap::Args as Arguments;
use transcriber::service::Service;

use super::process::Process;
use crate::config::Config;

/// The flags of `clipcut transcriber`.
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

/// Serves until a stop signal, and on a cluster claims caption jobs. Without a model it is alive but not ready, and logs
/// what is missing.
pub(crate) async fn run(config: &Config) -> Result<()> {
    // Without a cluster there is no library to share: `clipcut serve` has the folder's lock and a transcriber of its own.
    let store = match config.cluster()? {
        Some(cluster) => Some(config.cluster_store(&cluster).await?),
        None => None,
    };
    let mut process = Process::bind(config).await?;
    if let Some(store) = store {
        process.count_store(&store);
        let models = config.models.clone();
        process.tasks.spawn(transcriber::run(store, config.transcriber(), models, process.shutdown.clone()));
    }
    let speech = config.speech();
    let folder = speech.folder.display().to_string();
    let speech = Service::new(speech, process.shutdown.clone())
        .with_context(|| format!("cannot make the folder {folder}"))?;
    speech.count(&process.metrics);
    // Readiness is that of the HTTP service, which needs the model and no library.
    let service = speech.router().merge(speech.health());
    let process = process.with_health(speech.health());
    process.run("transcriber listening on", service, async {}).await
}
