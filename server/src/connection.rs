//! One connection from its acceptance to its end: TLS, the version of HTTP, and hyper, which speaks it. Leaves requests to
//! `context`.

use std::pin::pin;

use bytes::Bytes;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tower::Service;
use tracing::debug;

use crate::{
    BoxError, Request,
    activity::{ActivityClock, ActivityStream, Timeout},
    context::{ConnectionContext, RequestService, ServerContext},
    cork::Corked,
    streams::StreamExecutor,
};

// hyper's own default.
const HYPER_HEADERS: usize = 100;
// Enough for an upload over a long line; the product with `connections` bounds our memory.
const STREAM_WINDOW: u32 = 512 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * 1024;

/// The version of HTTP on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protocol {
    /// Without TLS: HTTP/2 where the connection begins with its preface (RFC 9113 §3.3, prior knowledge).
    Detected,
    /// Agreed on by ALPN. RFC 9113 §3.4: a client that agreed on `h2` and sends anything but the preface is refused.
    Http2,
    /// Agreed on by ALPN, or not spoken of, which means HTTP/1.1 (RFC 7301 §3.1).
    Http1,
}

/// A connection's bytes with what is known of them before the first request.
struct Transport<T> {
    stream: T,
    protocol: Protocol,
    clock: ActivityClock,
}

impl Protocol {
    fn agreed(alpn: Option<&[u8]>) -> Self {
        if alpn == Some(b"h2") { Self::Http2 } else { Self::Http1 }
    }
}

impl ServerContext {
    /// Serves one connection to its end.
    pub(crate) async fn connection<S, B>(self, stream: TcpStream, context: ConnectionContext, service: S)
    where
        S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        // Playlists and the ends of segments are small writes that must not wait for an acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%error, "cannot set TCP_NODELAY");
        }
        // One clock from the first byte to the last: a clock for each step would add their limits up.
        let mut clock = ActivityClock::new(context.activity.clone(), self.limits.clone());
        let stream = ActivityStream::new(stream, context.activity.clone());
        let Some(tls) = &self.tls else {
            return context.serve(Transport { stream, protocol: Protocol::Detected, clock }, service).await;
        };
        let (stream, cork) = Corked::new(stream, self.large_holds.clone());
        let handshake = tokio::select! {
            handshake = cork.around(tls.accept(stream)) => handshake,
            _ = context.event(&mut clock, Drain::Begun) => return debug!("a TLS handshake took too long"),
        };
        match handshake {
            Ok(stream) => {
                let protocol = Protocol::agreed(stream.get_ref().1.alpn_protocol());
                cork.around(context.serve(Transport { stream, protocol, clock }, service)).await;
            }
            Err(error) => debug!(%error, "a TLS handshake failed"),
        }
    }
}

/// Something that ends a connection, or begins its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ConnectionEvent {
    Drain,
    Timeout(Timeout),
    Cut,
}

/// Whether a connection was asked to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drain {
    NotYet,
    Begun,
}

impl ConnectionContext {
    async fn serve<T, S, B>(&self, transport: Transport<T>, service: S)
    where
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let Transport { stream, protocol, clock } = transport;
        let builder = self.builder(protocol);
        let service = RequestService::new(service, self.clone());
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut drain = Drain::NotYet;
        // A set is polled when one of its futures was woken, and not with every request.
        let mut events = FuturesUnordered::new();
        events.push(self.next_event(clock, drain));
        loop {
            let (event, clock) = tokio::select! {
                biased;
                // First, since nearly every turn is the connection's own; an event waits for one turn at most.
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        debug!(error, "a connection broke");
                    }
                    return;
                }
                Some(event) = events.next() => event,
            };
            match event {
                ConnectionEvent::Drain => {}
                ConnectionEvent::Timeout(Timeout::Idle) if drain == Drain::NotYet => {
                    debug!("a connection without a request is closed");
                }
                ConnectionEvent::Timeout(timeout) => return debug!(?timeout, "a connection was cut"),
                ConnectionEvent::Cut => return,
            }
            // RFC 9113 §6.8: over HTTP/2 a GOAWAY, behind which open streams are still answered.
            drain = Drain::Begun;
            connection.as_mut().graceful_shutdown();
            events.push(self.next_event(clock, drain));
        }
    }

    fn next_event(
        &self,
        mut clock: ActivityClock,
        drain: Drain,
    ) -> BoxFuture<'_, (ConnectionEvent, ActivityClock)> {
        async move { (self.event(&mut clock, drain).await, clock) }.boxed()
    }

    async fn event(&self, clock: &mut ActivityClock, drain: Drain) -> ConnectionEvent {
        tokio::select! {
            () = self.server.draining.cancelled(), if drain == Drain::NotYet => ConnectionEvent::Drain,
            timeout = clock.next() => ConnectionEvent::Timeout(timeout),
            () = self.server.cut.cancelled() => ConnectionEvent::Cut,
            () = self.evicted.cancelled() => ConnectionEvent::Cut,
        }
    }

    fn builder(&self, protocol: Protocol) -> auto::Builder<StreamExecutor> {
        let limits = &self.server.limits;
        let mut builder = auto::Builder::new(StreamExecutor::new(&self.server));
        builder
            .http1()
            // `activity` has one clock for all of a connection; hyper's is set anew by every request.
            .header_read_timeout(None)
            .max_buf_size(limits.header_bytes.max(8192) as usize);
        // With an explicit number hyper clears as many places for every request; without, it leaves them as they are.
        if limits.headers != HYPER_HEADERS {
            builder.http1().max_headers(limits.headers);
        }
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(limits.header_bytes)
            .max_concurrent_streams(limits.streams)
            // CVE-2023-44487: streams that are opened and reset at once cost us more than the client.
            .max_pending_accept_reset_streams(limits.resets)
            .max_local_error_reset_streams(limits.resets)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            // RFC 9113 §6.7: a client that vanished without a FIN is noticed while its request is open.
            .keep_alive_interval(limits.ping)
            .keep_alive_timeout(limits.ping);
        match protocol {
            Protocol::Detected => builder,
            Protocol::Http2 => builder.http2_only(),
            Protocol::Http1 => builder.http1_only(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tls_without_alpn_means_http_1_1_rfc_7301_3_1() {
        for (alpn, expected) in [
            (Some(&b"h2"[..]), Protocol::Http2),
            (Some(b"http/1.1"), Protocol::Http1),
            (None, Protocol::Http1),
        ] {
            assert_eq!(Protocol::agreed(alpn), expected);
        }
    }
}
