//! `clipcut origin`: uploads, the library, playlists and segments of a cluster, and the page. It stands behind edges,
//! which verify tickets.

use anyhow::Result;
use origin::Origin;
use tokio_util::sync::CancellationToken;

use super::{accounts, process::Process, purge};
use crate::{
    config::Config,
    front_end::{self, Pages},
};

/// Serves until a stop signal.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let purge_client = config.purge_client()?;
    let settings = config.origin()?;
    let store = config.shared_store().await?;
    let mut process = Process::bind(config).await?;
    process.count_store(&store);
    let health = process.health(&store);
    let process = process.with_health(health);
    let origin = Origin::new(store.clone(), settings, process.shutdown.clone());
    let sweeper = origin.clone();
    process.tasks.spawn(async move { sweeper.expire_uploads().await });
    let (followed, until) = (store.clone(), process.shutdown.clone());
    process.tasks.spawn(async move { followed.follow_revocations(until).await });
    // Cancelled at the end of the drain: until then edges still serve viewers and need the purges.
    let drained = CancellationToken::new();
    if let Some(purge_client) = purge_client {
        purge::announce(purge_client, &store.signals, &process.tasks, &drained);
    }
    let guarded =
        accounts::guarded(config, &process, accounts::Service { store: &store, router: origin.router() })
            .await?;
    let pages = if config.accounts.0 { Pages::All } else { Pages::WithoutAccounts };
    let service = guarded.fallback(async move |request| front_end::serve(pages, request));
    let finish = async {
        drained.cancel();
        origin.finish().await;
    };
    process.run("serving", service, finish).await
}
