//! A TCP relay between a client and a server: it counts the client's bytes, can be paused at a byte, and can be
//! pointed at another server after the first one died.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

use super::until;

/// The relay. It lives as long as the test's runtime.
pub(crate) struct Relay {
    pub(crate) url: String,
    sent: Arc<AtomicU64>,
    allowed: watch::Sender<u64>,
    leads_to: watch::Sender<String>,
    cut: watch::Sender<()>,
}

#[derive(Clone)]
struct Line {
    sent: Arc<AtomicU64>,
    allowed: watch::Receiver<u64>,
    leads_to: watch::Receiver<String>,
    cut: watch::Receiver<()>,
}

impl Relay {
    /// Opens a relay to the server at `url`, open for `allowed` bytes from clients.
    pub(crate) async fn open(url: &str, allowed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (allow, allowed) = watch::channel(allowed);
        let (lead, leads_to) = watch::channel(url.to_owned());
        let (cutter, cut) = watch::channel(());
        let sent = Arc::<AtomicU64>::default();
        let relay = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            sent: sent.clone(),
            allowed: allow,
            leads_to: lead,
            cut: cutter,
        };
        let line = Line { sent, allowed, leads_to, cut };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(line.clone().carry(client));
            }
        });
        relay
    }

    /// Returns how many bytes clients got through, headers included.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::SeqCst)
    }

    /// Lets `more` bytes pass from now on.
    pub(crate) fn allow(&self, more: u64) {
        self.allowed.send_replace(self.sent().saturating_add(more));
    }

    /// Closes all connections and drops the bytes in flight.
    pub(crate) async fn cut(&self) {
        self.cut.send_replace(());
        // One receiver remains: the listener's.
        until("the line to be cut", async || (self.cut.receiver_count() == 1).then_some(())).await;
    }

    /// Leads new connections to the server at `url`.
    pub(crate) fn lead_to(&self, url: &str) {
        self.leads_to.send_replace(url.to_owned());
    }
}

impl Line {
    async fn carry(mut self, client: TcpStream) {
        let address = self.leads_to.borrow().trim_start_matches("http://").to_owned();
        // A server that is dead refuses, and the client sees its connection close.
        let Ok(server) = TcpStream::connect(address).await else { return };
        let (from_client, mut to_client) = client.into_split();
        let (mut from_server, to_server) = server.into_split();
        self.cut.mark_unchanged();
        let mut cut = self.cut.clone();
        tokio::select! {
            biased;
            _ = cut.changed() => {}
            () = self.forward(from_client, to_server) => {}
            _ = tokio::io::copy(&mut from_server, &mut to_client) => {}
        }
    }

    async fn forward(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) {
        let mut piece = vec![0; 16 * 1024];
        loop {
            let sent = self.sent.load(Ordering::SeqCst);
            let Ok(allowed) = self.allowed.wait_for(|allowed| *allowed > sent).await.map(|a| *a) else {
                return;
            };
            let room = piece.len().min((allowed - sent) as usize);
            let Ok(read @ 1..) = from.read(&mut piece[..room]).await else { return };
            if to.write_all(&piece[..read]).await.is_err() {
                return;
            }
            self.sent.fetch_add(read as u64, Ordering::SeqCst);
        }
    }
}
