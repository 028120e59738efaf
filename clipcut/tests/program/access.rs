//! The table of access: it has every endpoint of the routers behind the guard, and nothing else.

use std::{collections::BTreeSet, path::Path};

use accounts::{Accounts, access};
use origin::Origin;
use store::Store;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use transcriber::service::{Config, Service};

use crate::harness::{Http, Server};

/// The addresses that the program itself answers, beside those of the roles: `openapi` asks for them.
pub(crate) const OF_THE_PROGRAM: [&str; 2] = ["/api/openapi.json", "/api/docs"];

const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Returns the addresses of the speech service, which needs no model to refuse somebody.
pub(crate) fn speech(folder: &Path, stop: &CancellationToken) -> axum::Router {
    let config = Config { folder: folder.join("speech"), ..Config::default() };
    Service::new(config, stop.clone()).unwrap().router()
}

/// Returns the paths of a router, by its debug text: axum has no list of them.
fn paths(router: &axum::Router) -> BTreeSet<String> {
    let text = format!("{router:?}");
    let quoted = text.split('"').skip(1).step_by(2);
    // The fallback's own places are `/` and an internal one; no router of ours has a route at the root. That of the speech
    // service stands at `/v1`, and answers that there is nothing, as the guard does.
    let is_route = |path: &str| path.len() > 1 && path != "/v1" && !path.contains("__private");
    let paths = quoted.filter(|path| path.starts_with('/') && is_route(path));
    paths.map(str::to_owned).collect()
}

/// Writes a name in place of each that a path has.
fn filled(path: &str) -> String {
    let filled = |part: &str| if part.starts_with('{') { "0123456789abcdef" } else { part }.to_owned();
    path.split('/').map(filled).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_endpoint_of_the_routers_is_in_the_table_of_access() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::embedded(folder.path()).await.unwrap();
    let stop = CancellationToken::new();
    let origin = Origin::new(store.clone(), origin::Config::default(), stop.clone());
    let accounts = Accounts::new(store, accounts::Config::default());
    let router = origin.router().merge(speech(folder.path(), &stop)).merge(accounts.router());
    let paths = paths(&router);
    // Without the guard: a method that a path takes is any answer but 405.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let http = Http::new(&format!("http://{}", listener.local_addr().unwrap()));
    tokio::spawn(server::serve(listener, router, server::Limits::default(), stop.clone()));
    let mut missing = Vec::new();
    for path in &paths {
        for method in METHODS {
            let request = http.tus(method, &filled(path));
            let taken = request.send().await.unwrap().status() != reqwest::StatusCode::METHOD_NOT_ALLOWED;
            let known = access::TABLE.iter().any(|one| one.method.as_str() == method && one.path == path);
            if taken && !known {
                missing.push(format!("{method} {path}"));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "say in accounts/src/access.rs who may use these, and with which scope of a token:\n{}",
        missing.join("\n")
    );
    let is_known = |path: &&str| paths.contains(*path) || OF_THE_PROGRAM.contains(path);
    let gone: Vec<&str> = access::TABLE.iter().map(|one| one.path).filter(|path| !is_known(path)).collect();
    assert!(gone.is_empty(), "the routers have no {gone:?}");
    assert!(paths.len() > 25, "{paths:?}");
    stop.cancel();
}

#[tokio::test]
async fn what_the_api_does_not_have_or_take_is_a_problem_with_accounts_and_without() {
    for accounts in ["on", "off"] {
        let home = tempfile::tempdir().unwrap();
        let server = Server::start(&home.path().join("data"), &[("CLIPCUT_ACCOUNTS", accounts)]);
        let check = async |method: &str, path: &str, expected: (u16, &str)| {
            let answer = server.http.ask(server.http.request(method, path)).await;
            let what = format!("{method} {path}, accounts {accounts}: {answer:?}");
            assert_eq!((answer.status.as_u16(), answer.problem().as_str()), expected, "{what}");
            assert_eq!(answer.header("content-type"), "application/problem+json", "{what}");
            if answer.status == reqwest::StatusCode::METHOD_NOT_ALLOWED {
                assert!(answer.header("allow").contains("GET"), "{what}");
            }
        };
        for path in ["/api", "/api/", "/api/nothing", "/api/v1", "/api/v1/videos/", "/api/docs/", "/v", "/v/"]
        {
            for method in METHODS {
                check(method, path, (404, "unknown_path")).await;
            }
        }
        for path in ["/api/v1/session", "/api/openapi.json", "/api/docs", "/api/v1/search", "/healthz"] {
            check("PATCH", path, (405, "method_not_allowed")).await;
        }
    }
}
