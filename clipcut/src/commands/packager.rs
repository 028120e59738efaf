//! `clipcut packager`: a worker of a cluster that claims packaging jobs.

use anyhow::Result;

use super::process::{self, Process};
use crate::config::Config;

/// Works until a stop signal; the jobs in hand are then released, so that others claim them at once.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let store = config.shared_store().await?;
    let process = Process::bind(config).await?;
    process::register_store(&process.metrics, &store);
    process.tasks.spawn(packager::run(store.clone(), config.packager(), process.shutdown.clone()));
    let service = process.with_metrics(process.health(&store));
    process.run("packager listening on", service, async {}).await
}
