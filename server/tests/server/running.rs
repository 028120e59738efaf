//! The server that the tests talk to, and its paths.

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::stream;
use http::StatusCode;
use server::{Limits, Listener, Problem, Request, Response, body};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

pub(crate) const SHORT: Duration = Duration::from_millis(100);
// Reached only by tests that fail.
pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    pub(crate) serving: JoinHandle<()>,
    pub(crate) started: mpsc::UnboundedReceiver<String>,
    pub(crate) release: Arc<Semaphore>,
}

pub(crate) async fn start(limits: Limits) -> Running {
    start_with(limits, Listener::from).await
}

pub(crate) async fn start_with(limits: Limits, dress: impl FnOnce(TcpListener) -> Listener) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let (sender, started) = mpsc::unbounded_channel();
    let release = Arc::new(Semaphore::new(0));
    let service = {
        let release = release.clone();
        service_fn(move |request| handle(request, sender.clone(), release.clone()))
    };
    let serving = tokio::spawn(server::serve(dress(listener), service, limits, shutdown.clone()));
    Running { address, shutdown, serving, started, release }
}

async fn handle(
    request: Request,
    sender: mpsc::UnboundedSender<String>,
    release: Arc<Semaphore>,
) -> Result<Response, Infallible> {
    let path = request.uri().path().to_owned();
    sender.send(path.clone()).unwrap();
    Ok(match path.as_str() {
        "/wait" => {
            release.acquire().await.unwrap().forget();
            Response::new(body::full("waited"))
        }
        "/panic" => panic!("as the test asked"),
        "/echo" => match body::collect(request.into_body(), 10).await {
            Ok(bytes) => Response::new(body::full(bytes)),
            Err(body::Error::Stalled(_)) => {
                Problem::new(StatusCode::REQUEST_TIMEOUT, "stalled", "Nothing came.").into()
            }
            Err(_) => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Too much came.").into(),
        },
        "/collect" => {
            let end = if body::collect(request.into_body(), 100).await.is_ok() { "whole" } else { "broken" };
            sender.send(end.to_owned()).unwrap();
            Response::new(body::full(end))
        }
        "/refuse" => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Not that much.").into(),
        "/endless" => {
            // The sender lives as long as the body; its end shows the test that the connection is gone.
            let held = (sender, Bytes::from(vec![0; 64 * 1024]));
            let chunks = stream::unfold(held, async |held| Some((Ok::<_, Infallible>(held.1.clone()), held)));
            Response::new(body::stream(chunks))
        }
        "/head" => {
            let seen = |name| request.headers().get(name).map_or("none", |value| value.to_str().unwrap());
            Response::new(body::full(format!("host {} upgrade {}", seen("host"), seen("upgrade"))))
        }
        _ => Response::new(body::full("fine")),
    })
}

impl Running {
    pub(crate) async fn send(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// Sends `text` and reads until the server closes.
    pub(crate) async fn ask(&self, text: &str) -> String {
        rest(&mut self.send(text).await).await
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.serving.await.unwrap();
    }
}

pub(crate) async fn rest(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    // A reset after the answer is as good as a close.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

pub(crate) fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}
