//! In charge of the other edges: who of them is there, and which of them a key belongs to. One is asked at most:
//! a request with the house's token is never asked of another.

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
    token::Token,
};

/// Where an edge tells the others who it is.
pub(crate) const PATH: &str = "/edge/peer";

const CHECK_EVERY: Duration = Duration::from_millis(500);
const CHECK_WAIT: Duration = Duration::from_secs(1);
const MISSES: u32 = 2;
const MOST_MEMBERS: usize = 256;

/// The edges of a house.
#[derive(Debug)]
pub struct Peers {
    /// Hosts and ports; a name stands for all its addresses.
    names: Vec<String>,
    token: Token,
    /// Tells this process from the others.
    pub(crate) id: String,
    client: Client,
    /// Those that answer, we among them.
    members: ArcSwap<Vec<Member>>,
    /// Told when the members change.
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    Here,
    Elsewhere,
    #[default]
    Nowhere,
}

/// What looking at an address has told.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    place: Place,
    misses: u32,
}

impl Known {
    /// Takes what a look has told. One in vain does not count: the member may be slow only, and all who wait for it would
    /// ask the origin for what it fetches for them.
    fn found(self, place: Place) -> Self {
        if place == Place::Nowhere && self.misses + 1 < MISSES {
            return Self { place: self.place, misses: self.misses + 1 };
        }
        Self { place, misses: 0 }
    }
}

impl Peers {
    /// Makes a group of the edges at `names`: hosts with ports, over plain HTTP, this one among them. `id` is
    /// any text that no other process has.
    pub fn new(names: Vec<String>, token: Token, id: String) -> std::io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            names,
            token,
            id,
            client: Client::new(Trust::Nobody)?,
            members: ArcSwap::default(),
            changed: watch::Sender::default(),
            known: Mutex::default(),
        }))
    }

    /// Looks after the others until `shutdown`.
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
        addresses.dedup();
        addresses.truncate(MOST_MEMBERS);
        let checks = addresses.into_iter().map(|address| async move { (address, self.place(address).await) });
        let found = futures::future::join_all(checks).await;
        {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            let before = std::mem::take(&mut *known);
            known.extend(found.into_iter().map(|(address, place)| {
                let known = before.get(&address).copied().unwrap_or_default();
                (address, known.found(place))
            }));
        }
        self.update_members();
    }

    async fn place(&self, address: SocketAddr) -> Place {
        let Ok(base) = format!("http://{address}").parse() else { return Place::Nowhere };
        let mut request = Request::new(body::empty());
        *request.uri_mut() = Uri::from_static(PATH);
        self.token.put(request.headers_mut());
        let ask = async {
            let response = self.client.send(&Upstream::http1(base), Reuse::Pooled, request).await.ok()?;
            let well = response.status().is_success();
            let id = body::collect(response.into_body(), 100).await.ok()?;
            well.then_some(id)
        };
        match tokio::time::timeout(CHECK_WAIT, ask).await {
            Ok(Some(id)) if id == self.id => Place::Here,
            Ok(Some(_)) => Place::Elsewhere,
            _ => Place::Nowhere,
        }
    }

    fn update_members(&self) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let there = known.iter().filter(|(_, known)| known.place != Place::Nowhere);
        let members = there.filter_map(|(address, known)| {
            let base = format!("http://{address}").parse().ok()?;
            Some(Member { address: address.to_string(), upstream: Upstream::http1(base), place: known.place })
        });
        self.members.store(Arc::new(members.collect()));
        self.changed.send_replace(());
    }

    /// Ends once nobody at `address` answers any more.
    async fn left(&self, address: &str) {
        let mut changed = self.changed.subscribe();
        while self.members.load().iter().any(|member| member.address == address) {
            // The sender is ours, so it is there.
            let _ = changed.changed().await;
        }
    }

    /// Tells the others what to forget, each for a moment at most.
    pub(crate) async fn publish(&self, purge: &Purge) {
        let members = self.members.load_full();
        let others = members.iter().filter(|member| member.place == Place::Elsewhere);
        let sending = others.map(|peer| async move {
            let delivery = Delivery { to: &peer.upstream, token: &self.token, wait: purge_client::WAIT };
            if let Err(problem) = delivery.send(&self.client, purge).await {
                tracing::warn!(peer = peer.address, problem, "a peer is not id what to forget");
            }
        });
        futures::future::join_all(sending).await;
    }

    /// Asks the edge that `key` belongs to. `None` when the origin is to be asked: that edge is this one, does not
    /// answer, or says only that it got no answer itself. Who does not answer is left out by [`Self::look`].
    pub(crate) async fn ask(&self, key: &Key, request: Request) -> Option<Result<Response, BoxError>> {
        let members = self.members.load_full();
        let owner = rendezvous::owner(members.iter().map(|member| member.address.as_str()), key.as_str())?;
        let owner = &members[owner];
        if owner.place == Place::Here {
            return None;
        }
        let mut request = request;
        self.token.put(request.headers_mut());
        let answered = tokio::select! {
            answered = self.client.send(&owner.upstream, Reuse::Pooled, request) => answered,
            // A frozen one keeps its connections.
            () = self.left(&owner.address) => Err("it answers nobody any more".into()),
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
