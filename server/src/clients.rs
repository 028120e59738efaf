//! The requests at once of each client behind trusted proxies. Their connections all come from the proxies' addresses, so
//! `connections` cannot bound one client there.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The clients of one listener with open requests.
#[derive(Debug)]
pub(crate) struct Clients {
    most_for_address: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

/// One open request, counted until it is dropped.
#[derive(Debug)]
pub(crate) struct ClientGuard {
    clients: Arc<Clients>,
    address: IpAddr,
}

impl Clients {
    pub(crate) fn new(most_for_address: usize) -> Arc<Self> {
        Arc::new(Self { most_for_address, open: Mutex::default() })
    }

    /// Counts a request; `None` when this client has as many open as it may.
    pub(crate) fn begin(self: &Arc<Self>, address: IpAddr) -> Option<ClientGuard> {
        let mut open = self.lock();
        let count = open.entry(address).or_default();
        if *count >= self.most_for_address {
            return None;
        }
        *count += 1;
        Some(ClientGuard { clients: self.clone(), address })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ClientGuard {
    fn drop(&mut self) {
        let mut open = self.clients.lock();
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            // Else the table would grow with every address that ever came.
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}
