//! A receiver of webhooks that runs for one test: it keeps what comes and answers as its test asks.

use std::{
    collections::VecDeque,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::Sha256;
use tokio::{net::TcpListener, sync::mpsc};

/// One request.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    received: mpsc::UnboundedReceiver<Received>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Receiver {
    /// Starts one that answers with these statuses, one after the other, and 204 behind them; 0 is no answer at all.
    pub(crate) async fn start(answers: &[u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, received) = mpsc::unbounded_channel();
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect::<VecDeque<u16>>()));
        let statuses = answers.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (sender, statuses) = (sender.clone(), statuses.clone());
                let service = service_fn(move |request| answer(request, sender.clone(), statuses.clone()));
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { address, received, answers }
    }

    /// Returns an address of the receiver.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn answer_next(&self, status: u16) {
        self.answers.lock().unwrap().push_back(status);
    }

    pub(crate) async fn next(&mut self) -> Received {
        self.received.recv().await.unwrap()
    }

    /// Returns what has come so far and was not taken yet.
    pub(crate) fn rest(&mut self) -> Vec<Received> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

async fn answer(
    request: Request<Incoming>,
    sender: mpsc::UnboundedSender<Received>,
    statuses: Arc<Mutex<VecDeque<u16>>>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let status = statuses.lock().unwrap().pop_front().unwrap_or(204);
    let _ = sender.send(Received { path: parts.uri.path().to_owned(), headers: parts.headers, body });
    if status == 0 {
        std::future::pending::<()>().await;
    }
    let response =
        Response::builder().status(StatusCode::from_u16(status).unwrap()).header("location", "/other");
    Ok(response.body(Empty::new()).unwrap())
}

impl Received {
    pub(crate) fn field(&self, name: &str) -> &str {
        self.headers.get(name).unwrap().to_str().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Verifies the signature as receivers do, by Standard Webhooks.
    #[track_caller]
    pub(crate) fn is_signed_by(&self, secret: &str) {
        let key = BASE64_STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        mac.update(format!("{}.{}.", self.field("webhook-id"), self.field("webhook-timestamp")).as_bytes());
        mac.update(&self.body);
        let (version, signature) = self.field("webhook-signature").split_once(',').unwrap();
        assert_eq!(version, "v1");
        mac.verify_slice(&BASE64_STANDARD.decode(signature).unwrap()).unwrap();
    }
}
