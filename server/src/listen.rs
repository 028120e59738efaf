//! Listening: sockets, the bound on connections, and the drain. `connection` serves each connection.

use std::{
    io,
    net::{SocketAddr, TcpListener as Socket},
    num::NonZeroUsize,
    pin::pin,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;
use tracing::{debug, error, info, warn};

use crate::{
    BoxError, Limits, Request, Tls,
    clients::Clients,
    connections::Connections,
    context::{ConnectionContext, ServerContext},
    cork::LargeHolds,
    metrics::{Counts, Metrics},
};

// When accepting fails, descriptors have run out; they come back as connections end, not at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
// Connections that the kernel queues until they are accepted; it cuts this to its own bound (`somaxconn` on Linux).
const BACKLOG: i32 = 4096;
// On average a stalled connection then holds 3 KiB more than a record back.
const CONNECTIONS_FOR_A_LARGE_HOLD: usize = 16;

/// The sockets that connections come from, and their TLS.
#[derive(Debug)]
pub struct Listener {
    sockets: Sockets,
    tls: Option<Tls>,
    counts: Arc<Counts>,
}

#[derive(Debug)]
enum Sockets {
    Here(TcpListener),
    Shared(Vec<Socket>),
}

impl Listener {
    /// Binds as many sockets to one address as there are to be `workers`: threads with a runtime of their own,
    /// between which the kernel shares connections out (`SO_REUSEPORT`). A hit in memory then never
    /// crosses cores. Port 0 is one free port for all.
    pub fn shared(mut address: SocketAddr, workers: NonZeroUsize) -> io::Result<Self> {
        let mut sockets = Vec::with_capacity(workers.get());
        for _ in 0..workers.get() {
            let domain = socket2::Domain::for_address(address);
            let socket = socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
            socket.set_nonblocking(true)?;
            // Linux refuses the port of a server that has just ended while its connections are in TIME_WAIT.
            socket.set_reuse_address(true)?;
            // Alone, it would let a second program take half of our connections.
            if workers.get() > 1 {
                socket.set_reuse_port(true)?;
            }
            socket.bind(&address.into())?;
            socket.listen(BACKLOG)?;
            let socket = Socket::from(socket);
            address = socket.local_addr()?;
            sockets.push(socket);
        }
        Ok(Self { sockets: Sockets::Shared(sockets), tls: None, counts: Arc::default() })
    }

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

    /// Returns the address that is listened on.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match &self.sockets {
            Sockets::Here(socket) => socket.local_addr(),
            Sockets::Shared(sockets) => sockets[0].local_addr(),
        }
    }
}

impl From<TcpListener> for Listener {
    fn from(socket: TcpListener) -> Self {
        Self { sockets: Sockets::Here(socket), tls: None, counts: Arc::default() }
    }
}

/// Serves `service` on `listener` until `shutdown`, then lets requests in flight finish within
/// `limits.drain` and cuts what is left. Returns when every connection is gone.
pub async fn serve<S, B>(
    listener: impl Into<Listener>,
    service: S,
    mut limits: Limits,
    shutdown: CancellationToken,
) where
    S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    let Listener { sockets, tls, counts } = listener.into();
    let sockets = match sockets {
        Sockets::Here(socket) => {
            return ServerContext::new(limits, tls, counts).serve(socket, service, shutdown).await;
        }
        Sockets::Shared(sockets) => sockets,
    };
    // Each worker bounds its share: a count in common would be a cache line that all cores write.
    limits.connections = limits.connections.div_ceil(sockets.len());
    limits.connections_for_address = limits.connections_for_address.div_ceil(sockets.len());
    // A request on one worker may wait for a fetch that runs on another: no runtime ends before all workers are
    // drained.
    let serving = TaskTracker::new();
    let mut workers = JoinSet::new();
    for socket in sockets {
        let server = ServerContext::new(limits.clone(), tls.clone(), counts.clone());
        let (service, shutdown) = (service.clone(), shutdown.clone());
        let (mine, all) = (serving.token(), serving.clone());
        workers.spawn_blocking(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async move {
                server.serve(TcpListener::from_std(socket)?, service, shutdown).await;
                drop(mine);
                all.wait().await;
                Ok::<_, io::Error>(())
            })
        });
    }
    serving.close();
    while let Some(worker) = workers.join_next().await {
        let error: BoxError = match worker {
            Ok(Ok(())) => continue,
            Ok(Err(error)) => error.into(),
            Err(error) => error.into(),
        };
        error!(error, "a worker ended; the server stops");
        shutdown.cancel();
    }
}

impl ServerContext {
    fn new(limits: Limits, tls: Option<Tls>, counts: Arc<Counts>) -> Self {
        Self {
            tasks: TaskTracker::new(),
            draining: CancellationToken::new(),
            cut: CancellationToken::new(),
            clients: Clients::new(limits.for_address()),
            large_holds: LargeHolds::new(limits.connections.div_ceil(CONNECTIONS_FOR_A_LARGE_HOLD)),
            limits: Arc::new(limits),
            counts,
            tls,
        }
    }

    async fn serve<S, B>(self, socket: TcpListener, service: S, shutdown: CancellationToken)
    where
        S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let connections = Connections::new(&self.limits);
        let shutdown_delay = self.limits.shutdown_delay;
        let mut stop = pin!(async {
            shutdown.cancelled().await;
            tokio::time::sleep(shutdown_delay).await;
        });
        loop {
            // While even the reserve is taken nobody is accepted, and the kernel's queue holds the rest.
            let accepted = async {
                let (stream, address) = socket.accept().await?;
                Ok::<_, io::Error>((stream, connections.place(address.ip()).await))
            };
            let accepted = tokio::select! {
                accepted = accepted => accepted,
                () = &mut stop => break,
            };
            match accepted {
                Ok((stream, Some(place))) => {
                    let context = ConnectionContext::new(self.clone(), &place);
                    let connection = self.clone().connection(stream, context, service.clone());
                    let open = OpenGauge::new(self.counts.clone());
                    self.tasks.spawn(async move {
                        connection.await;
                        drop((place, open));
                    });
                }
                Ok((_, None)) => debug!("an address has all the connections that it may have"),
                Err(error) => {
                    warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
        // The socket closes before the drain: a connection that is refused goes elsewhere, one
        // in the kernel's queue would wait in vain.
        drop(socket);
        self.drain().await;
    }

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
struct OpenGauge(Arc<Counts>);

impl OpenGauge {
    fn new(counts: Arc<Counts>) -> Self {
        counts.connections.inc();
        Self(counts)
    }
}

impl Drop for OpenGauge {
    fn drop(&mut self) {
        self.0.connections.dec();
    }
}
