//! Accounts in front of an origin: the guard on its addresses, those of accounts beside them, and the first account's link. And
//! `clipcut accounts`: accounts alone, to which edges send what is theirs.

use ::accounts::Accounts;
use anyhow::{Result, bail};
use axum::{Router, routing::get};
use http::StatusCode;
use server::{Problem, Response};
use store::Store;

use super::process::Process;
use crate::{config::Config, front_end, openapi};

/// Serves accounts alone until a stop signal. It needs no blobs, so people sign in while MongoDB is away.
pub(crate) async fn run(config: &Config) -> Result<()> {
    if !config.accounts.0 {
        bail!("accounts = \"off\" leaves this role nothing to do; leave accounts on, or do not start it");
    }
    let store = config.tables().await?;
    let mut process = Process::bind(config).await?;
    process.count_store(&store);
    let health = process.health(&store);
    let process = process.with_health(health.clone());
    let router = health.fallback(async || Response::from(elsewhere()));
    let service = guarded(config, &process, Service { store: &store, router }).await?;
    process.run("accounts listening on", service, async {}).await
}

// A path of the table of access that is an origin's.
fn elsewhere() -> Problem {
    let detail = "This server has accounts alone; send this to an origin.";
    Problem::new(StatusCode::NOT_FOUND, "unknown_path", detail)
}

/// The service that the guard stands in front of.
pub(super) struct Service<'a> {
    pub(super) store: &'a Store,
    pub(super) router: Router,
}

/// Puts accounts in front of an origin's addresses, where the configuration has any.
pub(super) async fn guarded(config: &Config, process: &Process, service: Service<'_>) -> Result<Router> {
    let documents = Router::new()
        .route("/api/openapi.json", get(openapi::serve))
        .route("/api/docs", get(front_end::docs))
        // The guard knows the methods too, but there is none without accounts.
        .method_not_allowed_fallback(front_end::wrong_method);
    let router = service.router.merge(documents);
    let Some(settings) = config.accounts(process.scheme)? else {
        let session = Router::new().route("/api/v1/session", get(::accounts::absent));
        return Ok(router.merge(session.method_not_allowed_fallback(front_end::wrong_method)));
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
