//! `clipcut packager`: a worker of a cluster that claims packaging jobs.

use anyhow::Result;

use super::role::{self, Role};
use crate::config::Config;

/// Works until a stop signal; the jobs in hand are then released, so that others claim them at once.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let store = config.shared_store().await?;
    let role = Role::begin(config).await?;
    role::count(&role.metrics, &store);
    let tasks = role.tasks.clone();
    tasks.spawn(packager::run(store.clone(), config.packager(), role.shutdown.clone()));
    let health = role.health(&store);
    role.answer("packager listening on", health).await?;
    tasks.close();
    tasks.wait().await;
    Ok(())
}
