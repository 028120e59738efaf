//! The rights at every endpoint, generated from the table of access and driven through sockets: each kind of asker, for a public
//! and a private video.

use std::time::Duration;

use accounts::{
    Accounts, Audience, Hashing,
    access::{ByToken, Endpoint, Scope, TABLE, Who},
};
use edge::{Clock, Edge};
use origin::{Needed, Origin, Tickets};
use reqwest::StatusCode;
use serde_json::{Value, json};
use server::ticket::Keys;
use store::{
    Edit, Grantee, NewShare, NewVideo, NewVisibility, Store, Timestamp, UserId, VideoId, Visibility,
    accounts::NewInvitation,
};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    access::{OF_THE_PROGRAM, speech},
    harness::{Cluster, Described, Http, PASSWORD, cookie, sha256},
};

const KEYS: &str = "1 MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const SECRET: &str = "a link of the tests";

/// Somebody who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Persona {
    Stranger,
    /// A stranger with a link that shares the video.
    Guest,
    Other,
    /// Somebody with whom the owner shares the video.
    Friend,
    Owner,
    Administrator,
    /// The owner's program.
    Program(Scope),
}

const PERSONAS: [Persona; 9] = [
    Persona::Stranger,
    Persona::Guest,
    Persona::Other,
    Persona::Friend,
    Persona::Owner,
    Persona::Administrator,
    Persona::Program(Scope::Read),
    Persona::Program(Scope::Upload),
    Persona::Program(Scope::Manage),
];

/// The codes by which the guard refuses. Any other answer is a handler's.
const REFUSALS: [&str; 9] = [
    "sign_in_required",
    "not_yours",
    "administrators_only",
    "insufficient_scope",
    "session_required",
    "unknown_video",
    "ticket_bad_signature",
    "invalid_token",
    "foreign_origin",
];

/// A video, and the people whom its site is for.
#[derive(Clone, Copy, Debug)]
struct Ground {
    audience: Audience,
    visibility: Visibility,
}

/// Returns the code by which somebody is refused, as the words of the table are meant.
fn expected(endpoint: &Endpoint, persona: Persona, ground: Ground) -> Option<&'static str> {
    if let Persona::Program(scope) = persona {
        match endpoint.by_token {
            ByToken::Never => return Some("session_required"),
            ByToken::With(needed) if needed != scope => return Some("insufficient_scope"),
            ByToken::With(_) => {}
        }
    }
    let private = ground.visibility == Visibility::Private;
    let closed = ground.audience == Audience::People;
    let stranger = matches!(persona, Persona::Stranger | Persona::Guest);
    let friend = persona == Persona::Friend;
    let owns = matches!(persona, Persona::Owner | Persona::Administrator | Persona::Program(_));
    match endpoint.who {
        Who::SignedIn | Who::Administrator | Who::Owner if stranger => Some("sign_in_required"),
        Who::Audience if closed && stranger => Some("sign_in_required"),
        Who::Anyone | Who::Audience | Who::SignedIn => None,
        Who::Administrator => (persona != Persona::Administrator).then_some("administrators_only"),
        Who::Viewer if closed && persona == Persona::Stranger => Some("sign_in_required"),
        Who::Viewer => (private && !owns && !friend && persona != Persona::Guest).then_some("unknown_video"),
        Who::Owner => (!owns).then_some(if private && !friend { "unknown_video" } else { "not_yours" }),
        // Nobody has a ticket here: whoever they are, a cookie plays nothing. An unlisted video plays by ticket, too.
        Who::Player => (closed || ground.visibility != Visibility::Public).then_some("ticket_bad_signature"),
    }
}

/// The way in which a site is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deployment {
    /// On one machine's store.
    Machine,
    /// On a cluster's store.
    Cluster,
    /// On one machine's store, behind an edge that keeps what it may.
    BehindAnEdge,
}

struct Site {
    store: Store,
    http: Http,
    _folder: tempfile::TempDir,
    _stop: DropGuard,
}

impl Site {
    async fn open(audience: Audience, deployment: Deployment) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = if deployment == Deployment::Cluster {
            let cluster = Cluster::shared();
            cluster.migrate(folder.path());
            cluster.store().await
        } else {
            Store::embedded(folder.path()).await.unwrap()
        };
        let stop = CancellationToken::new();
        let keys = Keys::read(KEYS).unwrap();
        let tickets =
            Tickets { keys: keys.clone(), lifetime: Duration::from_hours(1), needed: Needed::NotPublic };
        let config = origin::Config {
            tickets: Some(tickets),
            access: origin::Access::ByAccount,
            ..origin::Config::default()
        };
        let origin = Origin::new(store.clone(), config, stop.clone());
        let config = accounts::Config {
            sign_up: accounts::SignUp::Invitation,
            audience,
            hashing: Hashing { memory_kib: 64, passes: 1 },
            attempts_of_account: u64::MAX,
            attempts_of_address: u64::MAX,
            ticket_keys: Some(keys.clone()),
            ..accounts::Config::default()
        };
        let accounts = Accounts::new(store.clone(), config);
        let router = origin.router().merge(speech(folder.path(), &stop));
        let service = accounts.guard(router.merge(accounts.router()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let http = Http::new(&format!("http://{}", listener.local_addr().unwrap()));
        let limits = server::Limits::default();
        if deployment == Deployment::BehindAnEdge {
            let config = edge::Config { access: edge::Access::Verified(keys), ..edge::Config::default() };
            let edge = Edge::new(config, Clock::system(), service);
            tokio::spawn(server::serve(listener, edge, limits, stop.clone()));
        } else {
            tokio::spawn(server::serve(listener, service, limits, stop.clone()));
        }
        Self { store, http, _folder: folder, _stop: stop.drop_guard() }
    }

    /// Makes an account, the first one the administrator's, the others invited. Returns its id and its cookie.
    async fn sign_up(&self, email: &str) -> (UserId, String) {
        let people = self.store.accounts.users.list().await.unwrap();
        let mut new = json!({ "name": email, "email": email, "password": PASSWORD });
        if let Some(administrator) = people.first() {
            let key = format!("{:064x}", people.len());
            let invitation = NewInvitation {
                invited_by: &administrator.id,
                secret: &sha256(key.as_bytes()),
                email: None,
                expires_at: Timestamp::now() + Duration::from_hours(1),
            };
            self.store.accounts.invitations.add(&invitation).await.unwrap();
            new["key"] = json!(key);
        }
        let answer = self.http.ask(self.http.request("POST", "/api/v1/users").json(&new)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        let id = answer.json()["user"]["id"].as_str().unwrap().to_owned();
        (UserId::from(id), cookie(&answer))
    }

    async fn token(&self, cookie: &str, scope: Scope) -> String {
        let wanted = json!({ "name": "program", "scopes": [scope.as_str()] });
        let request =
            self.http.request("POST", "/api/v1/account/tokens").header("Cookie", cookie).json(&wanted);
        self.http.ask(request).await.json()["token"].as_str().unwrap().to_owned()
    }

    /// Makes a video of `owner`, with a link that shares it.
    async fn video(&self, owner: &UserId, visibility: Visibility) -> VideoId {
        let video = NewVideo {
            title: "Ours".into(),
            description: String::new(),
            source_name: String::new(),
            owner: Some(owner.clone()),
        };
        let expires = Timestamp::now() + Duration::from_hours(1);
        let id = self.store.uploads.begin(&video, Some(100), expires).await.unwrap().id;
        let edit =
            Edit { visibility: Some(NewVisibility { visibility, tickets_from: 0 }), ..Edit::default() };
        self.store.videos.edit(&id, &edit).await.unwrap();
        let new =
            NewShare { video: &id, secret: &format!("{SECRET} {id}").replace(' ', "-"), expires_at: None };
        self.store.shares.add(&new).await.unwrap().unwrap();
        id
    }
}

#[tokio::test]
async fn no_method_in_a_field_goes_around_the_table() {
    let site = Site::open(Audience::Everyone, Deployment::Machine).await;
    let (owner, _) = site.sign_up("owner@example.org").await;
    let id = site.video(&owner, Visibility::Public).await;
    for method in ["OPTIONS", "GET", "HEAD", "POST", "PATCH", "TRACE", "PROPFIND"] {
        for path in [format!("/api/v1/uploads/{id}"), format!("/api/v1/videos/{id}")] {
            let request = site.http.tus(method, &path).header("X-HTTP-Method-Override", "DELETE");
            site.http.ask(request).await;
        }
    }
    // Another spelling of its name, which the routers decode.
    let escaped = format!("%{:02x}{}", id.as_str().as_bytes()[0], &id.as_str()[1..]);
    let (_, other) = site.sign_up("other@example.org").await;
    for path in [format!("/api/v1/uploads/{escaped}"), format!("/api/v1/videos/{escaped}")] {
        let request = site.http.tus("DELETE", &path).header("Cookie", &other);
        assert_eq!(site.http.ask(request).await.problem(), "unknown_video", "{path}");
    }
    assert!(site.store.videos.get(&id).await.unwrap().is_some());
}

/// Writes the video's name, and any for the others, in place of those in a path.
fn filled(path: &str, id: &VideoId) -> String {
    let filled = |part: &str| match part {
        "{id}" => id.to_string(),
        "{*file}" => format!("{id}/master.m3u8"),
        part if part.starts_with('{') => "0123456789abcdef".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(filled).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn everybody_may_at_every_endpoint_what_the_table_says() {
    check_all(Audience::Everyone, Deployment::Machine).await;
}

#[tokio::test]
async fn everybody_may_on_a_cluster_what_the_table_says() {
    check_all(Audience::Everyone, Deployment::Cluster).await;
}

#[tokio::test]
async fn everybody_may_behind_an_edge_what_the_table_says() {
    check_all(Audience::Everyone, Deployment::BehindAnEdge).await;
}

#[tokio::test]
async fn a_closed_site_shows_strangers_what_is_shared_with_them_and_nothing_else() {
    check_all(Audience::People, Deployment::Machine).await;
}

async fn check_all(audience: Audience, deployment: Deployment) {
    let site = Site::open(audience, deployment).await;
    let document = Described::read();
    let (mut checked, mut wrong) = (0, Vec::new());
    let (_, admin) = site.sign_up("admin@example.org").await;
    for (row, endpoint) in TABLE.iter().enumerate() {
        // People of their own for each: an endpoint may end sessions and accounts.
        let (owner, owners) = site.sign_up(&format!("owner{row}@example.org")).await;
        let (_, others) = site.sign_up(&format!("other{row}@example.org")).await;
        let (friend, friends) = site.sign_up(&format!("friend{row}@example.org")).await;
        for (persona, visibility) in PERSONAS.into_iter().flat_map(|persona| {
            [Visibility::Public, Visibility::Unlisted, Visibility::Private].map(|v| (persona, v))
        }) {
            let id = site.video(&owner, visibility).await;
            site.store.grants.add(&id, Grantee::Id(&friend)).await.unwrap().unwrap();
            let mut path = filled(endpoint.path, &id);
            if persona == Persona::Guest {
                path += &format!("?share={}", format!("{SECRET} {id}").replace(' ', "-"));
            }
            let request = site.http.tus(endpoint.method.as_str(), &path);
            let request = match persona {
                Persona::Stranger | Persona::Guest => request,
                // The end of a session would be the end of the others' checks here.
                _ if endpoint.path == "/api/v1/session" && endpoint.method == http::Method::DELETE => {
                    continue;
                }
                Persona::Other => request.header("Cookie", &others),
                Persona::Friend => request.header("Cookie", &friends),
                Persona::Owner => request.header("Cookie", &owners),
                Persona::Administrator => request.header("Cookie", &admin),
                Persona::Program(scope) => request.bearer_auth(site.token(&owners, scope).await),
            };
            let response = request.send().await.unwrap();
            let described = if endpoint.path == "/v/{*file}" { "/v/{id}/master.m3u8" } else { endpoint.path };
            if let Some(fault) = document.fault(described, &endpoint.method, &response)
                && !OF_THE_PROGRAM.contains(&endpoint.path)
            {
                wrong.push(format!("{} {} as {persona:?}: {fault}", endpoint.method, endpoint.path));
            }
            // Streams of events have no end.
            let code = if response.status().is_success() {
                String::new()
            } else {
                let problem = response.json::<Value>().await.unwrap_or_default();
                problem["code"].as_str().unwrap_or_default().to_owned()
            };
            let refusal = REFUSALS.into_iter().find(|refusal| **refusal == code);
            let expected = expected(endpoint, persona, Ground { audience, visibility });
            checked += 1;
            if refusal != expected {
                wrong.push(format!(
                    "{} {} as {persona:?}, {visibility:?}: {code:?} instead of {expected:?}",
                    endpoint.method, endpoint.path
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 1000, "{checked}");
}
