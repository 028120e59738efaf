//! Slow and greedy clients, panics, the drain.

use std::{collections::HashSet, convert::Infallible, num::NonZeroUsize, time::Duration};

use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use server::{Limits, Listener, Request, Response, body};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
};
use tokio_util::sync::CancellationToken;
use tower::service_fn;

use crate::running::{LONG, SHORT, get, rest, start};

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
async fn a_server_with_a_shutdown_delay_still_answers() {
    let running = start(Limits { shutdown_delay: Duration::from_mins(10), ..Limits::default() }).await;
    running.shutdown.cancel();
    assert!(running.ask(&get("/")).await.ends_with("\r\n\r\nfine"));
    running.serving.abort();
}

#[tokio::test]
async fn a_full_server_still_answers_health_checks_and_refuses_the_rest() {
    let mut running =
        start(Limits { connections: 1, connections_for_address: 100, ..Limits::default() }).await;
    let mut first = running.send(&get("/wait")).await;
    assert_eq!(running.started.recv().await.unwrap(), "/wait");
    let refused = running.ask(&get("/second")).await;
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("too_many_connections"), "{refused}");
    assert!(running.ask(&get("/healthz")).await.starts_with("HTTP/1.1 200 "));
    running.release.add_permits(1);
    assert!(rest(&mut first).await.ends_with("waited"));
    assert!(running.ask(&get("/second")).await.ends_with("fine"));
    running.stop().await;
}

#[tokio::test]
async fn silent_connections_do_not_stop_service() {
    let running = start(Limits { connections: 4, connections_for_address: 100, ..Limits::default() }).await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(running.send("").await);
    }
    assert!(running.ask(&get("/")).await.ends_with("fine"));
    assert_eq!(rest(&mut silent[0]).await, "", "the oldest went");
    running.stop().await;
}

#[tokio::test]
async fn a_body_that_trickles_is_known_as_stalled() {
    let limits = Limits { body_idle: 5 * SHORT, body_least_bps: 1000, ..Limits::default() };
    let running = start(limits).await;
    let head = "POST /echo HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 9\r\n\r\n";
    let (mut read, mut write) = running.send(head).await.into_split();
    let trickle = tokio::spawn(async move {
        while write.write_all(b"x").await.is_ok() {
            tokio::time::sleep(2 * SHORT).await;
        }
    });
    assert!(rest(&mut read).await.starts_with("HTTP/1.1 408 "));
    trickle.abort();
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

#[tokio::test]
async fn workers_share_a_port_and_drain_together() {
    let address = "127.0.0.1:0".parse().unwrap();
    let listener = Listener::shared(address, NonZeroUsize::new(3).unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = CancellationToken::new();
    let (sender, mut served_by) = mpsc::unbounded_channel();
    let service = service_fn(move |_: Request| {
        sender.send(std::thread::current().id()).unwrap();
        async { Ok::<_, Infallible>(Response::new(body::full("fine"))) }
    });
    let serving = tokio::spawn(server::serve(listener, service, Limits::default(), shutdown.clone()));
    let mut threads = HashSet::new();
    // The kernel spreads connections by their ports; a hundred on one of three would be 3^-99.
    for _ in 0..100 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(get("/").as_bytes()).await.unwrap();
        assert!(rest(&mut stream).await.ends_with("fine"));
        threads.insert(served_by.recv().await.unwrap());
    }
    assert!(threads.len() > 1, "{threads:?}");
    shutdown.cancel();
    serving.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn one_worker_takes_no_port_that_another_program_may_join() {
    let one = NonZeroUsize::MIN;
    let first = Listener::shared("127.0.0.1:0".parse().unwrap(), one).unwrap();
    assert!(Listener::shared(first.local_addr().unwrap(), one).is_err());
}
