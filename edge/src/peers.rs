//! The other edges of the group: which of them answer, and which of them owns a key. A request takes one hop between edges
//! at most, whatever each of them believes the members to be: a signed request never goes to another peer.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use arc_swap::ArcSwap;
use http::Uri;
use server::{BoxError, Request, Response, body};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::{
    Purge, cache_status,
    client::{Client, Reuse, Trust, Upstream},
    key::Key,
    purge_client::{self, Delivery},
    rendezvous,
    signature::PeerKeys,
};

/// The path on which an edge answers with its id.
pub(crate) const PATH: &str = "/edge/peer";

const CHECK_EVERY: Duration = Duration::from_millis(500);
const CHECK_WAIT: Duration = Duration::from_secs(1);
// A frozen peer is left out after some three seconds: less than a player has in its buffer.
const MISSES: u32 = 2;
// Each member checks each other one, so the checks grow with the square.
const MOST_MEMBERS: usize = 256;

/// A group of edges that share their keys.
#[derive(Debug)]
pub struct Peers {
    /// Hosts and ports; a name stands for all its addresses.
    names: Vec<String>,
    keys: PeerKeys,
    /// The id of this process. An edge finds itself among the names by it, as an address may not show that it is local.
    pub(crate) id: String,
    client: Client,
    /// Those that answer, we among them.
    members: ArcSwap<Vec<Member>>,
    /// Notified when the members change.
    changed: watch::Sender<()>,
    known: Mutex<BTreeMap<SocketAddr, Known>>,
}

#[derive(Clone, Debug)]
struct Member {
    address: String,
    upstream: Upstream,
    place: Place,
}

/// Whether a member is this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Place {
    Here,
    /// In the process with this id.
    Elsewhere(Arc<str>),
    #[default]
    Nowhere,
}

/// The result of the checks of an address.
#[derive(Clone, Debug, Default)]
struct Known {
    place: Place,
    misses: u32,
}

impl Known {
    /// Adds the result of a check. A single failure does not count: the member may only be slow, and if it were left out
    /// all requests that wait for it would go to the origin for objects that it is fetching already.
    fn found(self, place: Place) -> Self {
        if place == Place::Nowhere && self.misses + 1 < MISSES {
            return Self { place: self.place, misses: self.misses + 1 };
        }
        Self { place, misses: 0 }
    }
}

impl Member {
    /// Returns the id of a member that is another process.
    fn id(&self) -> Option<&str> {
        match &self.place {
            Place::Elsewhere(id) => Some(id),
            Place::Here | Place::Nowhere => None,
        }
    }
}

impl Peers {
    /// Makes a group of the edges at `names`: hosts with ports, over plain HTTP, this one among them. `id` is
    /// any text that no other process has.
    pub fn new(names: Vec<String>, keys: PeerKeys, id: String) -> std::io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            names,
            keys,
            id,
            client: Client::new(Trust::Nobody)?,
            members: ArcSwap::default(),
            changed: watch::Sender::default(),
            known: Mutex::default(),
        }))
    }

    /// Checks the members until `shutdown`.
    pub async fn watch(self: Arc<Self>, shutdown: CancellationToken) {
        loop {
            self.check_all().await;
            if shutdown.run_until_cancelled(tokio::time::sleep(CHECK_EVERY)).await.is_none() {
                return;
            }
        }
    }

    /// Returns how many edges answer, this one counted.
    pub fn count(&self) -> usize {
        self.members.load().len()
    }

    async fn check_all(&self) {
        let mut addresses = Vec::new();
        for name in &self.names {
            match tokio::net::lookup_host(name.as_str()).await {
                Ok(found) => addresses.extend(found),
                Err(error) => tracing::warn!(name, %error, "cannot resolve a peer"),
            }
        }
        addresses.sort_unstable();
        // Two names may stand for one address, which must not get two shares of the keys.
        addresses.dedup();
        addresses.truncate(MOST_MEMBERS);
        let checks = addresses.into_iter().map(|address| async move { (address, self.place(address).await) });
        let found = futures::future::join_all(checks).await;
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            // Addresses that no name has any more are forgotten, with their misses.
            let before = std::mem::take(&mut *known);
            known.extend(found.into_iter().map(|(address, place)| {
                let known = before.get(&address).cloned().unwrap_or_default();
                (address, known.found(place))
            }));
        }
        self.update_members();
    }

    async fn place(&self, address: SocketAddr) -> Place {
        let Ok(base) = format!("http://{address}").parse() else { return Place::Nowhere };
        let mut request = Request::new(body::empty());
        *request.uri_mut() = Uri::from_static(PATH);
        // To whom is what the answer says.
        self.keys.sign(&mut request, "");
        let ask = async {
            let response = self.client.send(&Upstream::http1(base), Reuse::Pooled, request).await.ok()?;
            let well = response.status().is_success();
            let id = body::collect(response.into_body(), 100).await.ok()?;
            let id = String::from_utf8(id.into()).ok()?;
            well.then_some(id)
        };
        match tokio::time::timeout(CHECK_WAIT, ask).await {
            Ok(Some(id)) if id == self.id => Place::Here,
            Ok(Some(id)) => Place::Elsewhere(id.into()),
            _ => Place::Nowhere,
        }
    }

    fn update_members(&self) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let there = known.iter().filter(|(_, known)| known.place != Place::Nowhere);
        let members = there.filter_map(|(address, known)| {
            let base = format!("http://{address}").parse().ok()?;
            let place = known.place.clone();
            Some(Member { address: address.to_string(), upstream: Upstream::http1(base), place })
        });
        self.members.store(Arc::new(members.collect()));
        self.changed.send_replace(());
    }

    /// Ends once the member at `address` does not answer any more.
    async fn left(&self, address: &str) {
        let mut changed = self.changed.subscribe();
        while self.members.load().iter().any(|member| member.address == address) {
            // The sender is ours, so it is there.
            let _ = changed.changed().await;
        }
    }

    /// Sends a purge to the other members, with a short timeout for each.
    pub(crate) async fn publish(&self, purge: &Purge) {
        let members = self.members.load_full();
        let others = members.iter().filter_map(|member| Some((member, member.id()?)));
        let sending = others.map(|(peer, id)| async move {
            let delivery = Delivery { to: &peer.upstream, keys: &self.keys, id, wait: purge_client::WAIT };
            if let Err(problem) = delivery.send(&self.client, purge).await {
                tracing::warn!(peer = peer.address, problem, "purge not delivered to a peer");
            }
        });
        futures::future::join_all(sending).await;
    }

    /// Asks the edge that owns `key`. `None` when the origin is to be asked: the owner is this edge, does not answer, or
    /// failed to reach the origin itself. [`Self::check_all`] leaves an edge out that does not answer.
    pub(crate) async fn ask(&self, key: &Key, request: Request) -> Option<Result<Response, BoxError>> {
        let members = self.members.load_full();
        // The address is hashed and not the name: all edges must have the same text for a member.
        let owner = rendezvous::owner(members.iter().map(|member| member.address.as_str()), key.as_str())?;
        let owner = &members[owner];
        let id = owner.id()?;
        let mut request = request;
        self.keys.sign(&mut request, id);
        let answered = tokio::select! {
            answered = self.client.send(&owner.upstream, Reuse::Pooled, request) => answered,
            // A frozen peer keeps its connections open, so only the checks find out.
            () = self.left(&owner.address) => Err("the peer failed its checks".into()),
        };
        match answered {
            Ok(response) if cache_status::is_of_the_cache_alone(&response) => None,
            Ok(response) => Some(Ok(response)),
            Err(error) => {
                tracing::debug!(peer = owner.address, error, "a peer does not answer");
                None
            }
        }
    }
}
