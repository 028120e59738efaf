//! In charge of telling edges elsewhere what to forget.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use http::{HeaderValue, Method, Uri, header};
use server::{Request, body};
use tokio::time::Instant;

use crate::{
    Purge, Token,
    client::{Client, Protocol, Trust},
};

/// Where an edge takes what to forget.
pub(crate) const PATH: &str = "/edge/purge";

// Who is slower than this is left behind: the others must hear within a second.
const WAIT: Duration = Duration::from_millis(750);
const AGAIN: Duration = Duration::from_secs(1);
// A pod that is not ready has no name for a while, and comes back with all that it kept.
const REMEMBERED: Duration = Duration::from_hours(1);
const MOST_EDGES: usize = 256;

/// The edges to tell.
#[derive(Clone, Debug)]
pub struct Announcer {
    names: Arc<[String]>,
    token: Token,
    client: Client,
    edges: Arc<Mutex<BTreeMap<SocketAddr, Edge>>>,
}

/// What is known of one edge.
#[derive(Clone, Copy, Debug)]
struct Edge {
    /// When it had a name last.
    named: Instant,
    /// How many purges it could not be told. It doubts all that it has once it can be told that.
    missed: u64,
}

impl Announcer {
    /// Makes an announcer to the edges at `names`: hosts with ports, over plain HTTP. A name stands for all its
    /// addresses.
    pub fn new(names: Vec<String>, token: Token) -> std::io::Result<Self> {
        Ok(Self { names: names.into(), token, client: Client::new(Trust::Nobody)?, edges: Arc::default() })
    }

    /// Tells all of them. Who cannot be told is left to [`Self::catch_up`], and keeps nobody waiting a second time.
    pub async fn tell(&self, purge: &Purge) {
        self.look().await;
        let told = self.tell_those(self.all(), purge).await;
        if told.len() > 1 {
            // One that heard it early may have taken the same again from one that heard it late.
            self.tell_those(told, purge).await;
        }
    }

    /// Tells edges that could not be told that they missed something, once they can be; never ends.
    pub async fn catch_up(&self) {
        let missed = &Purge { all: true, ..Purge::default() };
        loop {
            tokio::time::sleep(AGAIN).await;
            let owed = self.owed();
            if owed.is_empty() {
                continue;
            }
            self.look().await;
            let late: Vec<SocketAddr> = owed.keys().copied().collect();
            let mut told = self.tell_those(late, missed).await;
            // What was news meanwhile is told in the next round.
            told.retain(|address| {
                let mut edges = self.edges();
                let edge = edges.get_mut(address).filter(|edge| Some(&edge.missed) == owed.get(address));
                edge.map(|edge| edge.missed = 0).is_some()
            });
            if told.is_empty() {
                continue;
            }
            tracing::info!(?told, "edges that were not told what to forget doubt all that they have");
            if self.all().len() > told.len() {
                // The others may have taken from these what they had forgotten themselves.
                self.tell(missed).await;
            }
        }
    }

    /// Finds out which edges there are.
    async fn look(&self) {
        for name in self.names.iter() {
            match tokio::net::lookup_host(name.as_str()).await {
                Ok(found) => {
                    let mut edges = self.edges();
                    for address in found {
                        let named = Instant::now();
                        edges.entry(address).or_insert(Edge { named, missed: 0 }).named = named;
                    }
                }
                Err(error) => tracing::error!(name, %error, "cannot find an edge to tell what to forget"),
            }
        }
        let mut edges = self.edges();
        edges.retain(|_, edge| edge.named.elapsed() < REMEMBERED);
        while edges.len() > MOST_EDGES {
            edges.pop_last();
        }
    }

    /// Returns those who have missed nothing; the others miss one more.
    fn all(&self) -> Vec<SocketAddr> {
        let mut edges = self.edges();
        edges.values_mut().filter(|edge| edge.missed > 0).for_each(|edge| edge.missed += 1);
        edges.iter().filter(|(_, edge)| edge.missed == 0).map(|(address, _)| *address).collect()
    }

    fn owed(&self) -> BTreeMap<SocketAddr, u64> {
        let edges = self.edges();
        let owed = edges.iter().filter(|(_, edge)| edge.missed > 0);
        owed.map(|(address, edge)| (*address, edge.missed)).collect()
    }

    /// Tells the edges at `addresses`. Returns those who have heard.
    async fn tell_those(&self, addresses: Vec<SocketAddr>, purge: &Purge) -> Vec<SocketAddr> {
        let telling = addresses.iter().map(|address| async move {
            let Err(problem) = self.tell_one(*address, purge).await else { return Some(*address) };
            if let Some(edge) = self.edges().get_mut(address)
                && edge.missed == 0
            {
                edge.missed = 1;
                tracing::warn!(%address, problem, "an edge is not told what to forget; it will be as soon as it can");
            }
            None
        });
        futures::future::join_all(telling).await.into_iter().flatten().collect()
    }

    async fn tell_one(&self, address: SocketAddr, purge: &Purge) -> Result<(), String> {
        let base = format!("http://{address}").parse().map_err(|e: http::uri::InvalidUri| e.to_string())?;
        send(&self.client, &self.token, &base, purge).await
    }

    fn edges(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, Edge>> {
        self.edges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells the edge of `base` what to forget.
pub(crate) async fn send(client: &Client, token: &Token, base: &Uri, purge: &Purge) -> Result<(), String> {
    let document = serde_json::to_string(purge).map_err(|e| e.to_string())?;
    let mut request = Request::new(body::full(document));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::from_static(PATH);
    token.put(request.headers_mut());
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    match tokio::time::timeout(WAIT, client.send(base, Protocol::Http1, request)).await {
        Ok(Ok(response)) if response.status().is_success() => Ok(()),
        Ok(Ok(response)) => Err(format!("it answers {}", response.status())),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {} ms", WAIT.as_millis())),
    }
}
