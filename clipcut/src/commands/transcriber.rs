//! In charge of `clipcut transcriber`: the HTTP service that turns sounds into words, and on a cluster the worker that
//! writes captions.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use clap::Args as Arguments;
use store::Store;
use transcriber::service::Service;

use super::role::{self, Role};
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

/// Serves until a stop signal, and on a cluster writes the captions that are wanted there. Without a model it lives, is
/// not ready, and says what is missing.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let store = match config.cluster()? {
        Some(cluster) => Some(Store::cluster(&cluster).await?),
        None => None,
    };
    let role = Role::begin(config).await?;
    let tasks = role.tasks.clone();
    if let Some(store) = store {
        role::count(&role.metrics, &store);
        let models = config.models.clone();
        tasks.spawn(transcriber::run(store, config.transcriber(), models, role.shutdown.clone()));
    }
    let told = config.speech();
    let folder = told.folder.display().to_string();
    let speech = Service::new(told, role.shutdown.clone())
        .with_context(|| format!("cannot make the folder {folder}"))?;
    speech.count(&role.metrics);
    // Ready is who can answer requests, and those need the model and no library.
    role.answer("transcribing at", speech.router().merge(speech.health())).await?;
    tasks.close();
    tasks.wait().await;
    Ok(())
}
