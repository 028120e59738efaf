//! Accounts that run for one test, behind their guard, and browsers that keep a cookie.

use std::net::SocketAddr;

use accounts::{Accounts, Config, Hashing, Person};
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use server::Limits;
use store::{Store, accounts::Role};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

pub(crate) const PASSWORD: &str = "correct horse battery";

pub(crate) struct Site {
    pub(crate) store: Store,
    pub(crate) accounts: Accounts,
    address: SocketAddr,
    _dir: Option<TempDir>,
    _stop: DropGuard,
}

/// A browser, or a program with a token, of one site.
pub(crate) struct Client<'a> {
    site: &'a Site,
    pub(crate) fields: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// A configuration whose hashes cost next to nothing.
pub(crate) fn config() -> Config {
    Config { hashing: Hashing { memory_kib: 64, passes: 1 }, ..Config::default() }
}

impl Site {
    pub(crate) async fn open(config: Config) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::embedded(dir.path()).await.unwrap();
        let accounts = Accounts::new(store.clone(), config);
        Self { _dir: Some(dir), ..Self::over(store, accounts).await }
    }

    /// Opens a site over the store of another one.
    pub(crate) async fn over(store: Store, accounts: Accounts) -> Self {
        let shutdown = CancellationToken::new();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = accounts.guard(accounts.router());
        tokio::spawn(server::serve(listener, service, Limits::default(), shutdown.clone()));
        Self { store, accounts, address, _dir: None, _stop: shutdown.drop_guard() }
    }

    /// Returns a browser without a cookie.
    pub(crate) fn browser(&self) -> Client<'_> {
        let fields = [("host", self.address.to_string()), ("content-type", "application/json".to_owned())];
        Client { site: self, fields: fields.map(|(name, value)| (name.to_owned(), value)).to_vec() }
    }

    /// Makes the first account and returns its browser.
    pub(crate) async fn administrator(&self) -> Client<'_> {
        let mut browser = self.browser();
        browser.sign_up("admin@example.org", None).await;
        browser
    }
}

impl Client<'_> {
    /// Makes an account, which must work, and keeps its cookie: the first one, one by a link, or one that the operator makes.
    pub(crate) async fn sign_up(&mut self, email: &str, key: Option<&str>) -> Value {
        let by_operator = key.is_none() && self.site.store.accounts.users.any().await.unwrap();
        let answer = if by_operator {
            let person = Person { name: email, email, password: PASSWORD, role: Role::User };
            accounts::add(&self.site.store.accounts, person).await.unwrap();
            self.sign_in(email, PASSWORD).await
        } else {
            let new = json!({ "name": email, "email": email, "password": PASSWORD, "key": key });
            self.ask("POST", "/api/v1/users", &new).await
        };
        assert!(answer.status.is_success(), "{answer:?}");
        self.keep(&answer);
        answer.json()["user"].clone()
    }

    /// Signs in, and keeps the cookie of an answer that has one.
    pub(crate) async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        let answer =
            self.ask("POST", "/api/v1/session", &json!({ "email": email, "password": password })).await;
        self.keep(&answer);
        answer
    }

    pub(crate) fn keep(&mut self, answer: &Answer) {
        if let Some(cookie) = answer.headers.get("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap().to_owned();
            self.set("cookie", &pair);
        }
    }

    /// Sends a field with all further requests.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.fields.retain(|(other, _)| other != name);
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &Value::Null).await
    }

    /// Sends a request with a document, or with none.
    pub(crate) async fn ask(&self, method: &str, path: &str, document: &Value) -> Answer {
        let body = if document.is_null() { String::new() } else { document.to_string() };
        self.send(method, path, body).await
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: impl Into<Bytes>) -> Answer {
        let stream = TcpStream::connect(self.site.address).await.unwrap();
        let (mut client, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        for (name, value) in &self.fields {
            request = request.header(name, value);
        }
        let response = client.send_request(request.body(Full::new(body.into())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    pub(crate) fn is(&self, status: u16) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
    }

    /// Checks that this is a problem, and which.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        assert_eq!(self.json()["code"], code, "{self:?}");
    }
}
