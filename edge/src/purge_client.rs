//! In charge of telling edges elsewhere what to forget.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::{HeaderValue, Method, Uri, header};
use server::{Request, body};
use tokio::time::{Instant, timeout};

use crate::{
    Purge, Token,
    client::{Client, Reuse, Trust, Upstream},
};

/// Where an edge takes what to forget.
pub(crate) const PATH: &str = "/edge/purge";

/// Who is slower than this is late: the others must hear within a second.
pub(crate) const WAIT: Duration = Duration::from_millis(400);
const WAIT_FOR_LAGGING: Duration = Duration::from_secs(5);
const RETRY_EVERY: Duration = Duration::from_secs(1);
// One that has had no name for so long, and has one again, is as good as new.
const FORGET_AFTER: Duration = Duration::from_mins(1);
const MOST_EDGES: usize = 256;

/// The edges to tell.
#[derive(Clone, Debug)]
pub struct PurgeClient {
    names: Arc<[String]>,
    token: Token,
    client: Client,
    edges: Arc<Mutex<BTreeMap<SocketAddr, Edge>>>,
    /// Whether a name could not be resolved the last time, which was told.
    unresolved: Arc<AtomicBool>,
}

/// What is known of one edge.
#[derive(Clone, Debug)]
struct Edge {
    /// When it had a name last.
    named: Instant,
    /// What it has still to be told. Of one that is new nobody knows what it missed.
    pending: Purge,
    /// Whether it was told in vain: [`Announcer::catch_up`] goes on, and nobody waits for it.
    is_lagging: bool,
}

impl PurgeClient {
    /// Makes an announcer to the edges at `names`: hosts with ports, over plain HTTP. A name stands for all its
    /// addresses.
    pub fn new(names: Vec<String>, token: Token) -> std::io::Result<Self> {
        let client = Client::new(Trust::Nobody)?;
        Ok(Self { names: names.into(), token, client, edges: Arc::default(), unresolved: Arc::default() })
    }

    /// Tells all of them. Who cannot be told is left to [`Self::catch_up`], and keeps nobody waiting a second time.
    pub async fn publish(&self, purge: &Purge) {
        if self.edges().is_empty() {
            self.resolve().await;
        }
        let delivered = self.send_to_prompt(purge).await;
        if delivered > 1 {
            // One that heard it early may have taken the same again from one that heard it late.
            self.send_to_prompt(purge).await;
        }
    }

    /// Looks for edges, and tells those that are new or late what they missed, as soon as it can; never ends.
    pub async fn retry_pending(&self) {
        loop {
            self.resolve().await;
            let due: Vec<(SocketAddr, Edge)> = {
                let edges = self.edges();
                let due = edges.iter().filter(|(_, edge)| edge.is_lagging || !edge.pending.is_empty());
                due.map(|(address, edge)| (*address, edge.clone())).collect()
            };
            let sending = due.iter().map(async |(address, edge)| {
                let delivered = self.send_to_one(*address, &edge.pending, WAIT_FOR_LAGGING).await.is_ok();
                (delivered && edge.is_lagging).then_some(&edge.pending)
            });
            // What it gave to others until now they have to forget once more.
            let lagging = futures::future::join_all(sending).await.into_iter().flatten();
            let again = lagging.fold(Purge::default(), |mut all, pending| {
                all.merge(pending.clone());
                all
            });
            if !again.is_empty() {
                self.send_to_prompt(&again).await;
            }
            tokio::time::sleep(RETRY_EVERY).await;
        }
    }

    /// Finds out which edges there are.
    async fn resolve(&self) {
        let mut unresolved = false;
        for name in self.names.iter() {
            let looked = timeout(WAIT_FOR_LAGGING, tokio::net::lookup_host(name.as_str())).await;
            let Ok(found) = looked.unwrap_or_else(|slow| Err(slow.into())) else {
                unresolved = true;
                if !self.unresolved.load(Ordering::Relaxed) {
                    tracing::error!(name, "cannot resolve the name of edges to publish what to forget");
                }
                continue;
            };
            let (mut edges, named) = (self.edges(), Instant::now());
            for address in found {
                if let Some(edge) = edges.get_mut(&address) {
                    edge.named = named;
                } else if edges.len() < MOST_EDGES {
                    edges.insert(address, Edge { named, pending: Purge::everything(), is_lagging: false });
                }
            }
        }
        self.unresolved.store(unresolved, Ordering::Relaxed);
        self.edges().retain(|_, edge| edge.named.elapsed() < FORGET_AFTER);
    }

    /// Tells those who are not late. Returns how many have heard.
    async fn send_to_prompt(&self, purge: &Purge) -> usize {
        let prompt: Vec<(SocketAddr, Purge)> = {
            let mut edges = self.edges();
            edges.values_mut().for_each(|edge| edge.pending.merge(purge.clone()));
            let prompt = edges.iter().filter(|(_, edge)| !edge.is_lagging);
            prompt.map(|(address, edge)| (*address, edge.pending.clone())).collect()
        };
        let sending = prompt.iter().map(|(address, pending)| self.send_to_one(*address, pending, WAIT));
        futures::future::join_all(sending).await.into_iter().flatten().count()
    }

    /// Tells one edge what it is owed.
    async fn send_to_one(&self, address: SocketAddr, pending: &Purge, wait: Duration) -> Result<(), ()> {
        let sent = match format!("http://{address}").parse() {
            Ok(base) => {
                let delivery = Delivery { to: &Upstream::http1(base), token: &self.token, wait };
                delivery.send(&self.client, pending).await
            }
            Err(error) => Err(format!("{error}")),
        };
        let mut edges = self.edges();
        let Some(edge) = edges.get_mut(&address) else { return Err(()) };
        match sent {
            Ok(()) => {
                if std::mem::take(&mut edge.is_lagging) {
                    tracing::info!(%address, "an edge that was not delivered what to forget knows it now");
                }
                // What was news meanwhile is still to be told.
                if edge.pending == *pending {
                    edge.pending = Purge::default();
                }
                Ok(())
            }
            Err(problem) => {
                if !std::mem::replace(&mut edge.is_lagging, true) {
                    tracing::warn!(%address, problem, "an edge is not delivered what to forget; it will be as soon as it can");
                }
                Err(())
            }
        }
    }

    fn edges(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, Edge>> {
        self.edges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a purge gets to one edge.
pub(crate) struct Delivery<'a> {
    pub(crate) to: &'a Upstream,
    pub(crate) token: &'a Token,
    /// How long that edge may take.
    pub(crate) wait: Duration,
}

impl Delivery<'_> {
    /// Sends a purge; fails with the reason for the log.
    pub(crate) async fn send(&self, client: &Client, purge: &Purge) -> Result<(), String> {
        let document = serde_json::to_string(purge).map_err(|e| e.to_string())?;
        let mut request = Request::new(body::full(document));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(PATH);
        self.token.put(request.headers_mut());
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        match timeout(self.wait, client.send(self.to, Reuse::Pooled, request)).await {
            Ok(Ok(response)) if response.status().is_success() => Ok(()),
            Ok(Ok(response)) => Err(format!("it answers {}", response.status())),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {} ms", self.wait.as_millis())),
        }
    }
}
