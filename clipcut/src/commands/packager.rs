//! `clipcut packager`: a worker of a cluster that claims packaging jobs.

use anyhow::Result;

use super::process::Process;
use crate::config::Config;

/// Works until a stop signal; the jobs in hand are then released, so that others claim them at once.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let store = config.shared_store().await?;
    let mut process = Process::bind(config).await?;
    process.count_store(&store);
    let health = process.health(&store);
    let process = process.with_health(health.clone());
    process.tasks.spawn(packager::run(store.clone(), config.packager(), process.shutdown.clone()));
    process.run("packager listening on", health, async {}).await
}
