//! In charge of `clipcut packager`: an encoder of a cluster, which takes what work there is.

use anyhow::Result;

use super::role::{self, Role};
use crate::config::Config;

/// Works until a stop signal; jobs in hand are then given back.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let store = config.shared_store().await?;
    let role = Role::begin(config).await?;
    role::count(&role.metrics, &store);
    let tasks = role.tasks.clone();
    tasks.spawn(packager::run(store.clone(), config.packager(), role.shutdown.clone()));
    let health = role.health(&store);
    role.answer("packaging; how it goes is told at", health).await?;
    tasks.close();
    tasks.wait().await;
    Ok(())
}
