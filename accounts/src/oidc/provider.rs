//! The provider: found by its issuer's URL (OpenID Connect Discovery 1.0), asked for tokens and keys. Its documents are kept for
//! an hour.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, header, request};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::{Deserialize, de::DeserializeOwned};
use server::site::PublicUrl;
use tokio::sync::Mutex;
use url::{Host, Url, form_urlencoded};

use super::id_token::{self, Claims, Expected, Invalid, KeySet};

const CALLBACK: &str = "/api/v1/oidc/callback";
const KEPT: Duration = Duration::from_hours(1);
// A token by a key that is not known yet has the keys read again, at most this often.
const AGAIN: Duration = Duration::from_mins(1);
const TIMEOUT: Duration = Duration::from_secs(10);
const MOST: usize = 256 * 1024;

/// A provider. Its secret is in it, so its debug text shows the issuer alone.
#[derive(Clone)]
pub struct Provider(Arc<Shared>);

struct Shared {
    issuer: String,
    client_id: String,
    client_secret: String,
    redirect_uri: String,
    /// Whether a verified address signs in to the account that has it.
    links_by_email: bool,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    documents: Mutex<Option<Documents>>,
}

/// How a site is known to its provider.
#[derive(Clone, Copy)]
pub struct Registration<'a> {
    /// The provider's own name for itself, a URL.
    pub issuer: &'a str,
    /// The provider's name for this site.
    pub client_id: &'a str,
    /// The secret that the provider gave; empty for a public client, which PKCE alone protects.
    pub client_secret: &'a str,
    /// The address of this site, to which the provider sends people back.
    pub site: &'a PublicUrl,
    /// Whether a verified address signs in to the account that has it.
    pub links_by_email: bool,
}

#[derive(Clone)]
struct Documents {
    metadata: Metadata,
    keys: KeySet,
    read_at: Instant,
}

/// The part of a provider's metadata that is needed here.
#[derive(Clone, Deserialize)]
struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Tokens {
    id_token: String,
}

/// The secrets of one sign-in, which its browser keeps.
#[derive(Clone, Copy)]
pub(super) struct Attempt<'a> {
    pub(super) state: &'a str,
    pub(super) nonce: &'a str,
    /// The code verifier of PKCE, and its challenge (RFC 7636).
    pub(super) verifier: &'a str,
    pub(super) challenge: &'a str,
}

impl Provider {
    /// Reads the settings. An error is a sentence.
    pub fn read(registration: Registration<'_>) -> Result<Self, String> {
        let Registration { issuer, client_id, client_secret, site, links_by_email } = registration;
        let url =
            Url::parse(issuer).map_err(|_| "a URL such as https://id.example.org is expected".to_owned())?;
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        if url.scheme() != "https" && !(url.scheme() == "http" && loopback) {
            return Err("an issuer is reached over https".to_owned());
        }
        if client_id.is_empty() {
            return Err("oidc_client_id is expected, the provider's name for this site".to_owned());
        }
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new().with_tls_config(crate::tls::client()).https_or_http();
        let client =
            Client::builder(TokioExecutor::new()).build(connector.enable_http1().wrap_connector(tcp));
        Ok(Self(Arc::new(Shared {
            issuer: issuer.to_owned(),
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            redirect_uri: format!("{site}{CALLBACK}"),
            links_by_email,
            client,
            documents: Mutex::default(),
        })))
    }

    /// Returns the issuer.
    pub(super) fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Returns whether a verified address signs in to the account that has it.
    pub(super) fn links_by_email(&self) -> bool {
        self.0.links_by_email
    }

    /// Returns the address at which a person signs in to the provider.
    pub(super) async fn authorization_url(&self, attempt: Attempt<'_>) -> Result<String, String> {
        let endpoint = self.documents(KEPT).await?.metadata.authorization_endpoint;
        let mut url = Url::parse(&endpoint).map_err(|e| format!("authorization_endpoint {endpoint}: {e}"))?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.0.client_id)
            .append_pair("redirect_uri", &self.0.redirect_uri)
            .append_pair("scope", "openid email profile")
            .append_pair("state", attempt.state)
            .append_pair("nonce", attempt.nonce)
            .append_pair("code_challenge", attempt.challenge)
            .append_pair("code_challenge_method", "S256");
        Ok(url.into())
    }

    /// Exchanges the code of a sign-in for what the provider says of the person.
    pub(super) async fn claims(&self, code: &str, attempt: Attempt<'_>) -> Result<Claims, String> {
        let documents = self.documents(KEPT).await?;
        let token = self.exchange(&documents.metadata.token_endpoint, code, attempt.verifier).await?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let Shared { issuer, client_id, .. } = &*self.0;
        let expected = Expected { issuer, client_id, nonce: attempt.nonce, now };
        let verified = match id_token::verify(&token, &documents.keys, expected) {
            Err(Invalid::UnknownKey) => {
                id_token::verify(&token, &self.documents(AGAIN).await?.keys, expected)
            }
            verified => verified,
        };
        verified.map_err(|invalid| match invalid {
            Invalid::UnknownKey => "no key of the provider has signed the ID token".to_owned(),
            Invalid::Refused(why) => format!("the ID token is refused: {why}"),
        })
    }

    async fn exchange(&self, endpoint: &str, code: &str, verifier: &str) -> Result<String, String> {
        let Shared { client_id, client_secret, redirect_uri, .. } = &*self.0;
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let mut request = Request::post(endpoint)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT, "application/json");
        if client_secret.is_empty() {
            pairs.push(("client_id", client_id));
        } else {
            // RFC 6749 §2.3.1: both are form-encoded before they become a name and a password.
            let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
            let pair = format!("{}:{}", encoded(client_id), encoded(client_secret));
            request =
                request.header(header::AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(pair)));
        }
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        let tokens: Tokens = self.ask(request, form).await?;
        Ok(tokens.id_token)
    }

    /// Returns the provider's documents, not older than `age`.
    async fn documents(&self, age: Duration) -> Result<Documents, String> {
        // Held while they are read: others wait, and find them.
        let mut kept = self.0.documents.lock().await;
        if let Some(documents) = &*kept
            && documents.read_at.elapsed() < age
        {
            return Ok(documents.clone());
        }
        let issuer = &self.0.issuer;
        // OpenID Connect Discovery §4.1: a slash at the issuer's end is taken away before the path.
        let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
        let metadata: Metadata = self.ask(Request::get(url), String::new()).await?;
        // OpenID Connect Discovery §4.3: they are equal to the letter, or one provider could speak for another.
        if metadata.issuer != *issuer {
            return Err(format!("the provider calls itself {}, and oidc_issuer {issuer}", metadata.issuer));
        }
        let keys = self.ask(Request::get(&metadata.jwks_uri), String::new()).await?;
        let documents = Documents { metadata, keys, read_at: Instant::now() };
        *kept = Some(documents.clone());
        Ok(documents)
    }

    async fn ask<T: DeserializeOwned>(&self, request: request::Builder, body: String) -> Result<T, String> {
        let request = request.body(Full::new(Bytes::from(body))).map_err(|e| e.to_string())?;
        let address = request.uri().to_string();
        let asked = async {
            let response = self.0.client.request(request).await.map_err(|e| e.to_string())?;
            if !response.status().is_success() {
                return Err(format!("it answered {}", response.status()));
            }
            let body = Limited::new(response.into_body(), MOST).collect().await.map_err(|e| e.to_string())?;
            serde_json::from_slice(&body.to_bytes()).map_err(|e| e.to_string())
        };
        let answer = tokio::time::timeout(TIMEOUT, asked).await;
        answer
            .unwrap_or_else(|_| Err("it did not answer in time".to_owned()))
            .map_err(|e| format!("{address}: {e}"))
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.0.issuer).finish_non_exhaustive()
    }
}
