//! `clipcut origin`: uploads, the library, playlists and segments of a cluster, and the page. It stands behind edges,
//! which verify tickets.

use anyhow::Result;
use origin::Origin;
use tokio_util::sync::CancellationToken;

use super::{
    forget,
    role::{self, Role},
};
use crate::{config::Config, front_end};

/// Serves until a stop signal.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let announcer = config.announcer()?;
    let settings = config.origin()?;
    let store = config.shared_store().await?;
    let role = Role::begin(config).await?;
    role::count(&role.metrics, &store);
    let tasks = role.tasks.clone();
    let origin = Origin::new(store.clone(), settings, role.shutdown.clone());
    let sweeper = origin.clone();
    tasks.spawn(async move { sweeper.expire_uploads().await });
    // Cancelled at the end of the drain: until then edges still serve viewers and need the purges.
    let drained = CancellationToken::new();
    if let Some(announcer) = announcer {
        forget::announce(announcer, &store.signals, &tasks, &drained);
    }
    role.answer("serving", origin.router().fallback(front_end::serve)).await?;
    drained.cancel();
    origin.finish().await;
    tasks.close();
    tasks.wait().await;
    Ok(())
}
