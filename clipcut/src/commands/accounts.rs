//! Accounts in front of an origin: the guard on its addresses, those of accounts beside them, and the first account's link.

use ::accounts::Accounts;
use anyhow::Result;
use axum::{Router, routing::get};
use store::Store;

use super::process::Process;
use crate::{config::Config, front_end, openapi};

/// The service that the guard stands in front of.
pub(super) struct Service<'a> {
    pub(super) store: &'a Store,
    pub(super) router: Router,
}

/// Puts accounts in front of an origin's addresses, where the configuration has any.
pub(super) async fn guarded(config: &Config, process: &Process, service: Service<'_>) -> Result<Router> {
    let documents = Router::new()
        .route("/api/openapi.json", get(openapi::serve))
        .route("/api/docs", get(front_end::docs));
    let router = service.router.merge(documents);
    let Some(settings) = config.accounts(process.scheme)? else {
        return Ok(router.route("/api/v1/session", get(::accounts::absent)));
    };
    let accounts = Accounts::new(service.store.clone(), settings);
    if let Some(link) = accounts.first_link().await? {
        let base = config.public_url.url.as_ref().map(ToString::to_string);
        let base = base.unwrap_or_else(|| format!("{}://{}", process.scheme, config.listen));
        // Not an event of the log, which others may read: whoever opens the link first is the administrator.
        eprintln!("\nMake the first account, the administrator's, within a day:\n\n  {base}{link}\n");
    }
    let courier = accounts.clone();
    let shutdown = process.shutdown.clone();
    process.tasks.spawn(async move { courier.deliver(shutdown).await });
    let mailer = accounts.clone();
    let shutdown = process.shutdown.clone();
    process.tasks.spawn(async move { mailer.send_mail(shutdown).await });
    let sweeper = accounts.clone();
    let shutdown = process.shutdown.clone();
    process.tasks.spawn(async move { sweeper.sweep(shutdown).await });
    Ok(accounts.guard(router.merge(accounts.router())))
}
