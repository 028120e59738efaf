//! In charge of one connection from its acceptance to its end, with HTTP/1.1 and HTTP/2 on one port. Leaves
//! requests to the service.

use std::{
    fmt::Display,
    pin::{Pin, pin},
    sync::Arc,
};

use bytes::Bytes;
use futures::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use http::Version;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tower::Service;
use tracing::debug;

use crate::{
    BoxError, Request,
    cork::Corked,
    forwarded::Peer,
    http2,
    interim::Spoken,
    patience::{self, Lost, Watched},
    preface,
    streams::{self, Streams},
    visit::{Answers, House, Visit},
};

// What hyper takes by itself.
const HYPERS_HEADERS: usize = 100;

impl House {
    /// Serves one connection to its end.
    pub(crate) async fn connection<S, B>(self, stream: TcpStream, service: S)
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
        let peer = stream.peer_addr().ok().map(|address| Peer(address.ip()));
        let visit = Visit { house: self, activity: Arc::default(), peer };
        let stream = Watched::new(stream, visit.activity.clone());
        match &visit.house.tls {
            None => visit.http(stream, service).await,
            Some(tls) => {
                let (stream, cork) = Corked::new(stream);
                let shaken = tokio::select! {
                    shaken = cork.around(tls.accept(stream)) => shaken,
                    _ = visit.news(true) => return debug!("a handshake took too long"),
                };
                match shaken {
                    Ok(stream) => cork.around(visit.http(stream, service)).await,
                    Err(error) => debug!(%error, "no TLS came about"),
                }
            }
        }
    }
}

impl Visit {
    async fn http<S, B>(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, service: S)
    where
        S: Service<Request, Response = http::Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let looked = tokio::select! {
            looked = preface::look(stream) => looked,
            _ = self.news(false) => return debug!("a connection without a request is closed"),
        };
        let (stream, version) = match looked {
            Ok(looked) => looked,
            Err(error) => return debug!(%error, "a connection broke"),
        };
        let answers = Answers::new(service, self.clone());
        if version < Version::HTTP_2 {
            let (stream, line) = Spoken::new(stream);
            let connection = self.http1().serve_connection(TokioIo::new(stream), answers);
            return line.scope(self.see_out(connection, http1::Connection::graceful_shutdown, None)).await;
        }
        let (stream, heard) = http2::listen(stream);
        let shaken = tokio::select! {
            shaken = streams::shake(stream, &self.house.limits, answers) => shaken,
            _ = self.news(true) => return debug!("a handshake took too long"),
        };
        match shaken {
            Ok((connection, pings)) => {
                let waits = || self.activity.is_answering();
                let silence = http2::silence(pings, heard, self.house.limits.ping, waits);
                let silence = silence.map(|()| News::Silence).boxed();
                self.see_out(connection, Streams::leave, Some(silence)).await;
            }
            Err(error) => debug!(%error, "no HTTP/2 came about"),
        }
    }

    /// Serves a connection until it ends, is told to `leave` and does, or is cut.
    async fn see_out<'a, C, E>(
        &'a self,
        connection: C,
        leave: impl Fn(Pin<&mut C>),
        silence: Option<BoxFuture<'a, News>>,
    ) where
        C: Future<Output = Result<(), E>>,
        E: Display,
    {
        let mut connection = pin!(connection);
        let mut draining = false;
        // A set is polled when it has something to say, and not with every request.
        let mut news = FuturesUnordered::from_iter(silence);
        news.push(self.news(draining).boxed());
        loop {
            tokio::select! {
                biased;
                ended = connection.as_mut() => {
                    if let Err(error) = ended {
                        debug!(%error, "a connection broke");
                    }
                    return;
                }
                Some(told) = news.next() => match told {
                    News::Drain => {}
                    News::Lost(Lost::Idle) if !draining => debug!("a connection without a request is closed"),
                    News::Lost(lost) => return debug!(?lost, "a connection was cut"),
                    News::Silence => return debug!("a client is gone"),
                    News::Cut => return,
                }
            }
            draining = true;
            leave(connection.as_mut());
            news.push(self.news(draining).boxed());
        }
    }

    async fn news(&self, draining: bool) -> News {
        tokio::select! {
            () = self.house.draining.cancelled(), if !draining => News::Drain,
            lost = patience::lost(&self.activity, &self.house.limits) => News::Lost(lost),
            () = self.house.cut.cancelled() => News::Cut,
        }
    }

    fn http1(&self) -> http1::Builder {
        let limits = &self.house.limits;
        let mut builder = http1::Builder::new();
        builder
            // `patience` has one clock for all of a connection; hyper's is set anew by every request.
            .header_read_timeout(None)
            .max_buf_size(limits.header_bytes.max(8192) as usize);
        // Said in so many words, hyper clears as many places for every request; unsaid, it leaves them as they are.
        if limits.headers != HYPERS_HEADERS {
            builder.max_headers(limits.headers);
        }
        builder
    }
}

/// What a connection is told besides its requests.
enum News {
    Drain,
    Lost(Lost),
    Silence,
    Cut,
}
