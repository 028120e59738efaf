//! The origin's side of purging: sends each purge to every edge behind the configured names, and sends it again to edges
//! that were unreachable. HTTP has no purge of its own (RFC 9111 §4.4 covers only a cache's own requests).

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
    PeerKeys, Purge,
    client::{Client, Reuse, Trust, Upstream},
    signature,
};

/// The path on which an edge takes a purge.
pub(crate) const PATH: &str = "/edge/purge";

/// An edge slower than this is lagging. A purge is sent twice, and both rounds must end within a second: a deleted video
/// stays visible until then.
pub(crate) const WAIT: Duration = Duration::from_millis(400);
const WAIT_FOR_LAGGING: Duration = Duration::from_secs(5);
const RETRY_EVERY: Duration = Duration::from_secs(1);
// An address that no name resolved to for so long is dropped, with its pending purge: if it comes back it starts with
// `Purge::everything`, as a new edge does.
const FORGET_AFTER: Duration = Duration::from_mins(1);
// The answer of a DNS server decides how many addresses a name has.
const MOST_EDGES: usize = 256;

/// A client of every edge that purges are sent to.
#[derive(Clone, Debug)]
pub struct PurgeClient {
    names: Arc<[String]>,
    keys: PeerKeys,
    client: Client,
    edges: Arc<Mutex<BTreeMap<SocketAddr, Edge>>>,
    /// Whether a name failed to resolve in the last round, so that the failure is logged once and not every second.
    unresolved: Arc<AtomicBool>,
}

/// The state of one edge.
#[derive(Clone, Debug)]
struct Edge {
    /// When a name last resolved to it.
    named: Instant,
    /// The purge not yet delivered. A new edge starts with [`Purge::everything`]: which purges it missed is unknown.
    pending: Purge,
    /// Whether the last delivery failed. From then on only [`PurgeClient::retry_pending`] sends to it, so that one dead
    /// edge does not delay every purge by the timeout.
    is_lagging: bool,
}

impl PurgeClient {
    /// Makes a client of the edges at `names`: hosts with ports, over plain HTTP. A name stands for all its
    /// addresses.
    pub fn new(names: Vec<String>, keys: PeerKeys) -> std::io::Result<Self> {
        let client = Client::new(Trust::Nobody)?;
        Ok(Self { names: names.into(), keys, client, edges: Arc::default(), unresolved: Arc::default() })
    }

    /// Sends a purge to all edges. Failed deliveries are left to [`Self::retry_pending`], so an unreachable edge delays
    /// one purge at most.
    pub async fn publish(&self, purge: &Purge) {
        if self.edges().is_empty() {
            self.resolve().await;
        }
        let delivered = self.send_to_prompt(purge).await;
        if delivered > 1 {
            // Edges fetch from each other: an edge purged early may have fetched the old object again from a peer purged
            // late. A second round, after all have the first, ends that.
            self.send_to_prompt(purge).await;
        }
    }

    /// Resolves the names again and again, and sends pending purges to edges that are new or lagging; never ends.
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
            // Until now a lagging edge may have served old objects to its peers: they are purged once more.
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

    /// Resolves the names to the edges' addresses.
    async fn resolve(&self) {
        let mut unresolved = false;
        for name in self.names.iter() {
            let looked = timeout(WAIT_FOR_LAGGING, tokio::net::lookup_host(name.as_str())).await;
            let Ok(found) = looked.unwrap_or_else(|slow| Err(slow.into())) else {
                unresolved = true;
                if !self.unresolved.load(Ordering::Relaxed) {
                    tracing::error!(name, "cannot resolve the name of edges to send purges to");
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

    /// Sends a purge to the edges that are not lagging. Returns the number of deliveries.
    async fn send_to_prompt(&self, purge: &Purge) -> usize {
        let prompt: Vec<(SocketAddr, Purge)> = {
            let mut edges = self.edges();
            // The purge is pending before it is sent: a delivery that fails then has nothing left to do.
            edges.values_mut().for_each(|edge| edge.pending.merge(purge.clone()));
            let prompt = edges.iter().filter(|(_, edge)| !edge.is_lagging);
            prompt.map(|(address, edge)| (*address, edge.pending.clone())).collect()
        };
        let sending = prompt.iter().map(|(address, pending)| self.send_to_one(*address, pending, WAIT));
        futures::future::join_all(sending).await.into_iter().flatten().count()
    }

    /// Sends one edge its pending purge.
    async fn send_to_one(&self, address: SocketAddr, pending: &Purge, wait: Duration) -> Result<(), ()> {
        let sent = match format!("http://{address}").parse() {
            Ok(base) => {
                let delivery = Delivery { to: &Upstream::http1(base), keys: &self.keys, id: "", wait };
                delivery.send(&self.client, pending).await
            }
            Err(error) => Err(format!("{error}")),
        };
        let mut edges = self.edges();
        let Some(edge) = edges.get_mut(&address) else { return Err(()) };
        match sent {
            Ok(()) => {
                if std::mem::take(&mut edge.is_lagging) {
                    tracing::info!(%address, "pending purges delivered to a lagging edge");
                }
                // A purge merged in while this one was on its way is still pending.
                if edge.pending == *pending {
                    edge.pending = Purge::default();
                }
                Ok(())
            }
            Err(problem) => {
                if !std::mem::replace(&mut edge.is_lagging, true) {
                    tracing::warn!(%address, problem, "purge not delivered to an edge; it is retried");
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
    pub(crate) keys: &'a PeerKeys,
    /// The id of that edge, where it is known.
    pub(crate) id: &'a str,
    /// How long that edge may take.
    pub(crate) wait: Duration,
}

impl Delivery<'_> {
    /// Sends a purge; fails with the reason for the log.
    pub(crate) async fn send(&self, client: &Client, purge: &Purge) -> Result<(), String> {
        let document = serde_json::to_string(purge).map_err(|e| e.to_string())?;
        let digest = signature::digest(document.as_bytes());
        let mut request = Request::new(body::full(document));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static(PATH);
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        request.headers_mut().insert(signature::DIGEST, digest);
        self.keys.sign(&mut request, self.id);
        match timeout(self.wait, client.send(self.to, Reuse::Pooled, request)).await {
            Ok(Ok(response)) if response.status().is_success() => Ok(()),
            Ok(Ok(response)) => Err(format!("it answers {}", response.status())),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {} ms", self.wait.as_millis())),
        }
    }
}
