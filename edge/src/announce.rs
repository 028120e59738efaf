//! In charge of telling edges elsewhere what to forget.

use std::{sync::Arc, time::Duration};

use http::{HeaderValue, Method, Uri, header};
use server::{Request, body};

use crate::{
    Purge, Token,
    client::{Client, Protocol, Trust},
};

/// Where an edge takes what to forget.
pub(crate) const PATH: &str = "/edge/purge";

const WAIT: Duration = Duration::from_secs(2);
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);

/// The edges to tell.
#[derive(Clone, Debug)]
pub struct Announcer {
    names: Arc<[String]>,
    token: Token,
    client: Client,
}

impl Announcer {
    /// Makes an announcer to the edges at `names`: hosts with ports, over plain HTTP. A name stands for all its
    /// addresses.
    pub fn new(names: Vec<String>, token: Token) -> std::io::Result<Self> {
        Ok(Self { names: names.into(), token, client: Client::new(Trust::Nobody)? })
    }

    /// Tells all of them. An edge that cannot be told is tried again, then named in the log: what it keeps of
    /// playlists is short-lived.
    pub async fn tell(&self, purge: &Purge) {
        let Ok(document) = serde_json::to_string(purge) else { return };
        let mut addresses = Vec::new();
        for name in self.names.iter() {
            match tokio::net::lookup_host(name.as_str()).await {
                Ok(found) => addresses.extend(found),
                Err(error) => tracing::error!(name, %error, "cannot find an edge to tell what to forget"),
            }
        }
        addresses.sort_unstable();
        addresses.dedup();
        let telling = addresses.iter().map(|address| self.tell_one(format!("http://{address}"), &document));
        futures::future::join_all(telling).await;
    }

    async fn tell_one(&self, address: String, document: &str) {
        let Ok(base) = address.parse() else { return };
        for attempt in 1..=TRIES {
            let mut request = Request::new(body::full(document.to_owned()));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = Uri::from_static(PATH);
            self.token.put(request.headers_mut());
            request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let told = tokio::time::timeout(WAIT, self.client.send(&base, Protocol::Http1, request)).await;
            match told {
                Ok(Ok(response)) if response.status().is_success() => return,
                Ok(Ok(response)) => {
                    return tracing::error!(address, status = %response.status(), "an edge refuses to forget");
                }
                _ if attempt == TRIES => tracing::error!(address, "an edge cannot be told what to forget"),
                _ => tokio::time::sleep(PAUSE).await,
            }
        }
    }
}
