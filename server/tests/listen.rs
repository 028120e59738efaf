//! Drives a listening server through real sockets: slow and greedy clients, panics, the drain.
#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::stream;
use http::StatusCode;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use server::{Limits, Problem, Request, Response, body};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Semaphore, mpsc},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

const SHORT: Duration = Duration::from_millis(100);
// Reached only by tests that fail.
const LONG: Duration = Duration::from_secs(20);

struct Running {
    address: SocketAddr,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
    started: mpsc::UnboundedReceiver<String>,
    release: Arc<Semaphore>,
}

async fn start(limits: Limits) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let (tell, started) = mpsc::unbounded_channel();
    let release = Arc::new(Semaphore::new(0));
    let service = {
        let release = release.clone();
        service_fn(move |request| handle(request, tell.clone(), release.clone()))
    };
    let serving = tokio::spawn(server::serve(listener, service, limits, shutdown.clone()));
    Running { address, shutdown, serving, started, release }
}

async fn handle(
    request: Request,
    tell: mpsc::UnboundedSender<String>,
    release: Arc<Semaphore>,
) -> Result<Response, Infallible> {
    let path = request.uri().path().to_owned();
    tell.send(path.clone()).unwrap();
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
        "/refuse" => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "Not that much.").into(),
        "/endless" => {
            // The sender lives as long as the body; its end tells the test that the connection is gone.
            let held = (tell, Bytes::from(vec![0; 64 * 1024]));
            let chunks = stream::unfold(held, async |held| Some((Ok::<_, Infallible>(held.1.clone()), held)));
            Response::new(body::stream(chunks))
        }
        _ => Response::new(body::full("fine")),
    })
}

impl Running {
    async fn send(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// Sends `text` and reads until the server closes.
    async fn ask(&self, text: &str) -> String {
        rest(&mut self.send(text).await).await
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.serving.await.unwrap();
    }
}

async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    // A reset after the answer is as good as a close.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8(answer).unwrap()
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn headers_that_trickle_in_are_cut_off() {
    let running = start(Limits { header_timeout: SHORT, ..Limits::default() }).await;
    let again = "GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: ";
    for (beginning, answers) in [
        ("", 0),
        ("G", 0),
        ("PRI * HT", 0),
        ("GET / HTTP/1.1\r\nhost: ", 0),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0),
        (again, 1),
    ] {
        let mut stream = running.send(beginning).await;
        let mut answer = Vec::new();
        let read = tokio::time::timeout(LONG, stream.read_to_end(&mut answer)).await;
        read.expect("the connection stays open").unwrap();
        let answer = String::from_utf8_lossy(&answer);
        assert_eq!(answer.matches("HTTP/1.1 200 OK").count(), answers, "{beginning:?}");
    }
    running.stop().await;
}

#[tokio::test]
async fn headers_that_are_too_large_or_too_many_are_431() {
    let running = start(Limits { header_bytes: 8192, headers: 10, ..Limits::default() }).await;
    let large = format!("GET / HTTP/1.1\r\nhost: x\r\nlarge: {}\r\n\r\n", "a".repeat(20_000));
    assert!(running.ask(&large).await.starts_with("HTTP/1.1 431 "));
    let many = format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(20));
    assert!(running.ask(&many).await.starts_with("HTTP/1.1 431 "));
    running.stop().await;
}

#[tokio::test]
async fn one_port_speaks_both_versions() {
    let running = start(Limits::default()).await;
    assert!(running.ask(&get("/")).await.ends_with("\r\n\r\nfine"));

    let stream = TokioIo::new(TcpStream::connect(running.address).await.unwrap());
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::get(format!("http://{}/", running.address)).body(body::empty()).unwrap();
    let response = client.send_request(request).await.unwrap();
    assert_eq!(response.version(), http::Version::HTTP_2);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "fine");
    // The drain ends a quiet HTTP/2 connection too.
    running.stop().await;
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_drain_finishes_a_running_response() {
    let mut running = start(Limits::default()).await;
    let mut stream = running.send(&get("/wait")).await;
    running.started.recv().await.unwrap();
    running.shutdown.cancel();
    // The listener goes first: from here on nobody new is let in.
    while TcpStream::connect(running.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!running.serving.is_finished());
    running.release.add_permits(1);
    assert!(rest(&mut stream).await.ends_with("\r\n\r\nwaited"));
    running.serving.await.unwrap();
}

#[tokio::test]
async fn the_drain_cuts_what_does_not_finish_in_time() {
    let mut running = start(Limits { drain: SHORT, ..Limits::default() }).await;
    let mut stream = running.send(&get("/wait")).await;
    running.started.recv().await.unwrap();
    running.shutdown.cancel();
    running.serving.await.unwrap();
    assert_eq!(rest(&mut stream).await, "");
}

#[tokio::test]
async fn a_lingering_server_still_answers() {
    let running = start(Limits { linger: Duration::from_mins(10), ..Limits::default() }).await;
    running.shutdown.cancel();
    assert!(running.ask(&get("/")).await.ends_with("\r\n\r\nfine"));
    running.serving.abort();
}

#[tokio::test]
async fn the_connection_past_the_bound_waits_for_a_place() {
    let mut running = start(Limits { connections: 1, ..Limits::default() }).await;
    let mut first = running.send(&get("/wait")).await;
    assert_eq!(running.started.recv().await.unwrap(), "/wait");
    let mut second = running.send(&get("/second")).await;
    assert!(tokio::time::timeout(SHORT, running.started.recv()).await.is_err(), "the second was let in");
    running.release.add_permits(1);
    assert!(rest(&mut first).await.ends_with("waited"));
    assert!(rest(&mut second).await.ends_with("fine"));
    running.stop().await;
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_connection_lives() {
    let running = start(Limits::default()).await;
    let both = format!("GET /panic HTTP/1.1\r\nhost: x\r\n\r\n{}", get("/"));
    let answers = running.ask(&both).await;
    assert!(answers.starts_with("HTTP/1.1 500 "), "{answers}");
    assert!(answers.contains("application/problem+json"), "{answers}");
    assert!(answers.contains("access-control-allow-origin: *"), "{answers}");
    assert!(!answers.contains("as the test asked"), "{answers}");
    assert!(answers.ends_with("\r\n\r\nfine"), "{answers}");
    running.stop().await;
}

#[tokio::test]
async fn a_request_body_that_goes_silent_is_known_as_stalled() {
    let running = start(Limits { body_idle: SHORT, ..Limits::default() }).await;
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 8\r\n\r\n";
    assert!(running.ask(&format!("{head}half")).await.starts_with("HTTP/1.1 408 "));
    assert!(running.ask(&format!("{head}complete")).await.ends_with("complete"));
    running.stop().await;
}

#[tokio::test]
async fn a_client_in_the_middle_of_a_large_body_sees_an_early_answer() {
    let running = start(Limits::default()).await;
    for path in ["/refuse", "/echo"] {
        let body = vec![0; 16 * 1024 * 1024];
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = running.send(&head).await;
        stream.write_all(&body).await.unwrap();
        assert!(rest(&mut stream).await.starts_with("HTTP/1.1 413 "), "{path}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_is_not_asked_by_an_early_answer() {
    let running = start(Limits::default()).await;
    let head = "POST /refuse HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 100\r\n\r\n";
    assert!(running.ask(head).await.starts_with("HTTP/1.1 413 "));
    running.stop().await;
}

#[tokio::test]
async fn a_client_that_takes_no_bytes_loses_the_connection() {
    let limits = Limits { write_stall: SHORT, drain: 2 * LONG, ..Limits::default() };
    let mut running = start(limits).await;
    let stream = running.send(&get("/endless")).await;
    assert_eq!(running.started.recv().await.unwrap(), "/endless");
    // The service itself holds one sender as long as it serves, so the end is seen in the drain.
    running.shutdown.cancel();
    tokio::time::timeout(LONG, running.serving).await.expect("the connection stays open").unwrap();
    assert!(running.started.recv().await.is_none());
    drop(stream);
}
