//! The places of a listener's connections: how many there are, in all and for one address, and which connection goes when
//! there is none left. Leaves the connections themselves to `connection`.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::{Limits, activity::Activity, forwarded::TrustedProxies};

// Beyond the bound, for load balancers' checks: a server that is full is not dead, and must not be restarted for it.
const RESERVE: usize = 16;

/// The connections of one listener.
#[derive(Debug)]
pub(crate) struct Connections {
    most: usize,
    most_for_address: usize,
    /// Exempt from that: `clients` counts the requests of each client behind them.
    proxies: TrustedProxies,
    open: Mutex<Open>,
    /// Wakes the listener when a connection has ended.
    ended: Notify,
}

#[derive(Debug, Default)]
struct Open {
    accepted: u64,
    /// By the order in which they were accepted.
    all: BTreeMap<u64, Entry>,
    by_address: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Entry {
    address: IpAddr,
    activity: Arc<Activity>,
    evicted: CancellationToken,
}

/// The place of one connection, given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    connections: Arc<Connections>,
    id: u64,
    pub(crate) address: IpAddr,
    pub(crate) kind: PlaceKind,
    pub(crate) activity: Arc<Activity>,
    /// Cancelled when the place is needed for a newer connection.
    pub(crate) evicted: CancellationToken,
}

/// The kind of place that a connection got, which decides over the paths that it may request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PlaceKind {
    /// Any path.
    Regular,
    /// The health endpoints alone: requests take all regular places, and a load balancer must learn how the server is.
    Reserve,
}

impl Connections {
    pub(crate) fn new(limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            most: limits.connections,
            most_for_address: limits.for_address(),
            proxies: limits.proxies.clone(),
            open: Mutex::default(),
            ended: Notify::new(),
        })
    }

    /// Takes a place for a connection from `address`; waits while even the reserve is taken.
    ///
    /// `None` when that address has as many as it may, and all of them are at work.
    pub(crate) async fn place(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        loop {
            // Registered before the look, so that an end in between is not missed.
            let ended = self.ended.notified();
            let admission = self.lock().admit(self, address);
            // A single task accepts, so no other admission comes between this look and `enter`.
            match admission {
                Admission::Admitted(kind) => return Some(self.enter(address, kind)),
                Admission::Refused => return None,
                Admission::Full => ended.await,
            }
        }
    }

    fn enter(self: &Arc<Self>, address: IpAddr, kind: PlaceKind) -> Place {
        let (activity, evicted) = (Arc::<Activity>::default(), CancellationToken::new());
        let mut open = self.lock();
        open.accepted += 1;
        let id = open.accepted;
        *open.by_address.entry(address).or_default() += 1;
        open.all.insert(id, Entry { address, activity: activity.clone(), evicted: evicted.clone() });
        Place { connections: self.clone(), id, address, kind, activity, evicted }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Admission {
    Admitted(PlaceKind),
    Refused,
    Full,
}

impl Open {
    fn admit(&mut self, connections: &Connections, address: IpAddr) -> Admission {
        let of_address = self.by_address.get(&address).copied().unwrap_or(0);
        let is_full = of_address >= connections.most_for_address && !connections.proxies.contains(address);
        if is_full && !self.evict(Some(address)) {
            return Admission::Refused;
        }
        if self.all.len() < connections.most || self.evict(None) {
            return Admission::Admitted(PlaceKind::Regular);
        }
        if self.all.len() < connections.most + RESERVE {
            return Admission::Admitted(PlaceKind::Reserve);
        }
        Admission::Full
    }

    /// Ends a connection that answers nothing: the oldest that never asked for anything, else the oldest that is idle.
    /// Its place is free at once.
    fn evict(&mut self, address: Option<IpAddr>) -> bool {
        let idle = |(_, entry): &(&u64, &Entry)| {
            address.is_none_or(|address| entry.address == address) && !entry.activity.is_answering()
        };
        let silent = self.all.iter().filter(idle).find(|(_, entry)| entry.activity.requests() == 0);
        let Some(id) = silent.or_else(|| self.all.iter().find(idle)).map(|(id, _)| *id) else { return false };
        self.leave(id);
        true
    }

    fn leave(&mut self, id: u64) {
        let Some(entry) = self.all.remove(&id) else { return };
        entry.evicted.cancel();
        if let Some(count) = self.by_address.get_mut(&entry.address) {
            *count -= 1;
            if *count == 0 {
                self.by_address.remove(&entry.address);
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.lock().leave(self.id);
        self.connections.ended.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;
    use crate::activity::RequestGuard;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);

    fn connections(most: usize, most_for_address: usize) -> Arc<Connections> {
        let limits =
            Limits { connections: most, connections_for_address: most_for_address, ..Limits::default() };
        Connections::new(&limits)
    }

    fn place(connections: &Arc<Connections>, address: IpAddr) -> Option<Place> {
        connections.place(address).now_or_never().flatten()
    }

    #[test]
    fn the_oldest_silent_connection_makes_place_for_a_new_one() {
        let connections = connections(3, 3);
        let [asked, silent, newer] = [HERE, HERE, THERE].map(|address| place(&connections, address).unwrap());
        drop(RequestGuard::begin(asked.activity.clone()));
        let fourth = place(&connections, THERE).unwrap();
        assert!(
            silent.evicted.is_cancelled() && !asked.evicted.is_cancelled() && !newer.evicted.is_cancelled()
        );
        assert_eq!(fourth.kind, PlaceKind::Regular);
    }

    #[test]
    fn a_server_at_work_keeps_a_reserve_for_health_checks() {
        let connections = connections(1, 100);
        let first = place(&connections, HERE).unwrap();
        let _answering = RequestGuard::begin(first.activity.clone());
        let reserve: Vec<Place> = (0..RESERVE)
            .map(|_| {
                let place = place(&connections, HERE).unwrap();
                let guard = RequestGuard::begin(place.activity.clone());
                std::mem::forget(guard);
                place
            })
            .collect();
        assert!(reserve.iter().all(|place| place.kind == PlaceKind::Reserve));
        assert!(place(&connections, HERE).is_none(), "the reserve is bounded");
        drop(first);
        drop(reserve);
        assert_eq!(place(&connections, HERE).unwrap().kind, PlaceKind::Regular);
    }

    #[test]
    fn a_trusted_proxy_may_take_all_places() {
        let limits = Limits {
            connections: 4,
            connections_for_address: 1,
            proxies: TrustedProxies::parse(["127.0.0.1"]).unwrap(),
            ..Limits::default()
        };
        let connections = Connections::new(&limits);
        let all: Vec<Place> = (0..4).map(|_| place(&connections, HERE).unwrap()).collect();
        assert!(all.iter().all(|place| !place.evicted.is_cancelled()));
    }

    #[test]
    fn one_address_does_not_take_the_places_of_the_others() {
        let connections = connections(4, 2);
        let [first, second] = [HERE, HERE].map(|address| place(&connections, address).unwrap());
        let _at_work = [&first, &second].map(|place| RequestGuard::begin(place.activity.clone()));
        assert!(place(&connections, HERE).is_none(), "a third from the same address");
        assert!(place(&connections, THERE).is_some());
    }
}
