//! In charge of telling edges elsewhere what to forget.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderValue, Method, Uri, header};
use server::{Request, body};

use crate::{
    Purge, Token,
    client::{Client, Protocol, Trust},
};

/// Where an edge takes what to forget.
pub(crate) const PATH: &str = "/edge/purge";

const WAIT: Duration = Duration::from_secs(2);
const AGAIN: Duration = Duration::from_secs(1);

/// The edges to tell.
#[derive(Clone, Debug)]
pub struct Announcer {
    names: Arc<[String]>,
    token: Token,
    client: Client,
    /// Edges that could not be told something, and how many purges each has missed. They doubt all that they have once
    /// they can be told that.
    owed: Arc<Mutex<BTreeMap<SocketAddr, u64>>>,
}

impl Announcer {
    /// Makes an announcer to the edges at `names`: hosts with ports, over plain HTTP. A name stands for all its
    /// addresses.
    pub fn new(names: Vec<String>, token: Token) -> std::io::Result<Self> {
        Ok(Self { names: names.into(), token, client: Client::new(Trust::Nobody)?, owed: Arc::default() })
    }

    /// Tells all of them. Who cannot be told is left to [`Self::catch_up`], and keeps nobody waiting a second time.
    pub async fn tell(&self, purge: &Purge) {
        let mut addresses = self.addresses().await;
        addresses.retain(|address| match self.owed().get_mut(address) {
            Some(missed) => {
                *missed += 1;
                false
            }
            None => true,
        });
        let telling = addresses.iter().map(|address| async move {
            if let Err(problem) = self.tell_one(*address, purge).await {
                self.owed().insert(*address, 1);
                tracing::warn!(%address, problem, "an edge is not told what to forget; it will be as soon as it can");
            }
        });
        futures::future::join_all(telling).await;
    }

    /// Tells edges that could not be told that they missed something, once they can be; never ends.
    pub async fn catch_up(&self) {
        let missed = &Purge { all: true, ..Purge::default() };
        loop {
            tokio::time::sleep(AGAIN).await;
            if self.owed().is_empty() {
                continue;
            }
            // Who has no name any more is owed nothing.
            let addresses = self.addresses().await;
            self.owed().retain(|address, _| addresses.contains(address));
            let owed = self.owed().clone();
            let telling = owed.iter().map(|(address, before)| async move {
                if self.tell_one(*address, missed).await.is_err() {
                    return;
                }
                let mut owed = self.owed();
                // What was news meanwhile is told in the next round.
                if owed.get(address) == Some(before) {
                    owed.remove(address);
                    tracing::info!(%address, "an edge that was not told what to forget doubts all that it has");
                }
            });
            futures::future::join_all(telling).await;
        }
    }

    async fn addresses(&self) -> BTreeSet<SocketAddr> {
        let mut addresses = BTreeSet::new();
        for name in self.names.iter() {
            match tokio::net::lookup_host(name.as_str()).await {
                Ok(found) => addresses.extend(found),
                Err(error) => tracing::error!(name, %error, "cannot find an edge to tell what to forget"),
            }
        }
        addresses
    }

    async fn tell_one(&self, address: SocketAddr, purge: &Purge) -> Result<(), String> {
        let document = serde_json::to_string(purge).map_err(|e| e.to_string())?;
        let base = format!("http://{address}").parse().map_err(|e: http::uri::InvalidUri| e.to_string())?;
        let mut request = Request::new(body::full(document));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(PATH);
        self.token.put(request.headers_mut());
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match tokio::time::timeout(WAIT, self.client.send(&base, Protocol::Http1, request)).await {
            Ok(Ok(response)) if response.status().is_success() => Ok(()),
            Ok(Ok(response)) => Err(format!("it answers {}", response.status())),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {} s", WAIT.as_secs())),
        }
    }

    fn owed(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, u64>> {
        self.owed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
