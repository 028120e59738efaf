//! An HTTP client for tests: plain requests, JSON and the tus protocol.

use std::{sync::Once, time::Duration};

use bytes::Bytes;
use futures::Stream;
use reqwest::{
    Client, Method, RequestBuilder, StatusCode,
    header::{HeaderMap, HeaderName},
    redirect::Policy,
};
use serde_json::Value;

/// A client of one server.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    client: Client,
    url: String,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Http {
    pub(crate) fn new(url: &str) -> Self {
        // reqwest wants one even for plain HTTP, and only the first can be installed.
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| _ = rustls::crypto::ring::default_provider().install_default());
        // A redirection is an answer of its own.
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .read_timeout(Duration::from_mins(1))
            .build()
            .unwrap();
        Self { client, url: url.to_owned() }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(Method::from_bytes(method.as_bytes()).unwrap(), self.url(path))
    }

    pub(crate) async fn ask(&self, request: RequestBuilder) -> Answer {
        Self::try_ask(request).await.unwrap()
    }

    /// Asks a server that may be dying.
    pub(crate) async fn try_ask(request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(Answer { status, headers, body: response.bytes().await? })
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask(self.request("GET", path)).await
    }

    /// A request of the tus protocol.
    pub(crate) fn tus(&self, method: &str, path: &str) -> RequestBuilder {
        self.request(method, path).header("Tus-Resumable", "1.0.0")
    }

    /// Creates an upload and returns its path.
    pub(crate) async fn create_upload(&self, length: u64) -> String {
        let answer = self.ask(self.tus("POST", "/api/v1/uploads").header("Upload-Length", length)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.header("location").to_owned()
    }

    /// Returns where an upload stands.
    pub(crate) async fn offset(&self, upload: &str) -> u64 {
        let answer = self.ask(self.tus("HEAD", upload)).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.header("upload-offset").parse().unwrap()
    }

    /// A PATCH that brings `bytes` for `offset`.
    pub(crate) fn append<S>(&self, upload: &str, offset: u64, bytes: S) -> RequestBuilder
    where
        S: Stream<Item = std::io::Result<Bytes>> + Send + 'static,
    {
        self.tus("PATCH", upload)
            .header("Content-Type", "application/offset+octet-stream")
            .header("Upload-Offset", offset)
            .body(reqwest::Body::wrap_stream(bytes))
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        let value = self.headers.get(&name).unwrap_or_else(|| panic!("no {name} in {self:?}"));
        value.to_str().unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// Returns the code of the problem that was answered.
    pub(crate) fn problem(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }
}
