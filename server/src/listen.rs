//! In charge of listening: sockets, the bound on connections, and the drain. Leaves each connection to
//! `connection`.

use std::{
    io,
    net::{SocketAddr, TcpListener as Socket},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;
use tracing::{info, warn};

use crate::{
    BoxError, Limits, Request, Tls,
    connection::House,
    metrics::{Counts, Metrics},
};

// When accepting fails, descriptors have run out; they come back as connections end, not at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
// What the kernel holds while nobody accepts; it cuts this to its own bound.
const BACKLOG: i32 = 4096;

/// Where connections come from, and what is spoken on them.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    tls: Option<Tls>,
    counts: Arc<Counts>,
}

impl Listener {
    /// Speaks TLS, if there is a certificate.
    #[must_use]
    pub fn tls(mut self, tls: Option<Tls>) -> Self {
        self.tls = tls;
        self
    }

    /// Counts into `metrics`.
    #[must_use]
    pub fn metrics(mut self, metrics: &Metrics) -> Self {
        self.counts = metrics.counts();
        self
    }
}

impl From<TcpListener> for Listener {
    fn from(socket: TcpListener) -> Self {
        Self { socket, tls: None, counts: Arc::default() }
    }
}

/// Binds `count` sockets to one address, between which the kernel shares connections out (`SO_REUSEPORT`): with a
/// thread and a runtime behind each, no request crosses cores. Port 0 is one free port for all.
pub fn bind_shared(mut address: SocketAddr, count: usize) -> io::Result<Vec<Socket>> {
    let mut sockets = Vec::with_capacity(count);
    for _ in 0..count {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(address),
            socket2::Type::STREAM.nonblocking(),
            Some(socket2::Protocol::TCP),
        )?;
        socket.set_reuse_address(true)?;
        // Alone, it would let a second program take half of our connections.
        if count > 1 {
            socket.set_reuse_port(true)?;
        }
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let socket = Socket::from(socket);
        address = socket.local_addr()?;
        sockets.push(socket);
    }
    Ok(sockets)
}

/// Serves `service` on `listener` until `shutdown`, then lets requests in flight finish within
/// `limits.drain` and cuts what is left. Returns when every connection is gone.
pub async fn serve<S, B>(
    listener: impl Into<Listener>,
    service: S,
    limits: Limits,
    shutdown: CancellationToken,
) where
    S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let Listener { socket, tls, counts } = listener.into();
    let house = House {
        tasks: TaskTracker::new(),
        draining: CancellationToken::new(),
        cut: CancellationToken::new(),
        limits: Arc::new(limits),
        counts,
        tls,
    };
    let places = Arc::new(Semaphore::new(house.limits.connections));
    let linger = house.limits.linger;
    let mut stop = pin!(async {
        shutdown.cancelled().await;
        tokio::time::sleep(linger).await;
    });
    loop {
        // The place comes first: at the bound nobody is accepted, and the kernel's queue holds the rest.
        let accepted = async {
            let place = places.clone().acquire_owned().await;
            (place, socket.accept().await)
        };
        let (place, accepted) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = house.clone().connection(stream, service.clone());
                let open = Open::new(house.counts.clone());
                house.tasks.spawn(async move {
                    connection.await;
                    drop((place, open));
                });
            }
            Err(error) => {
                warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(socket);
    house.drain().await;
}

impl House {
    async fn drain(self) {
        self.draining.cancel();
        self.tasks.close();
        info!(tasks = self.tasks.len(), "draining");
        if tokio::time::timeout(self.limits.drain, self.tasks.wait()).await.is_err() {
            warn!(tasks = self.tasks.len(), "cutting what did not finish in time");
            self.cut.cancel();
            self.tasks.wait().await;
        }
    }
}

/// Counts a connection while it is open, whatever becomes of its task.
struct Open(Arc<Counts>);

impl Open {
    fn new(counts: Arc<Counts>) -> Self {
        counts.connections.inc();
        Self(counts)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}
