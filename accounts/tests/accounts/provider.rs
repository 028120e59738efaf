//! An OpenID provider that runs for one test: it gives codes for what a person asked for, and tokens for codes.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use axum::{
    Form, Json, Router,
    extract::State,
    routing::{get, post},
};
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use http::{HeaderMap, StatusCode};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use url::Url;

pub(crate) const CLIENT: &str = "clipcut";
pub(crate) const SECRET: &str = "a secret: with signs";

#[derive(Clone)]
pub(crate) struct Idp(Arc<Inner>);

struct Inner {
    issuer: String,
    key: EcdsaKeyPair,
    /// The sign-in behind each code: the challenge of its PKCE, the address to go back to, and the claims.
    codes: Mutex<HashMap<String, (String, String, Value)>>,
}

fn key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random).unwrap()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

impl Idp {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let idp = Self(Arc::new(Inner { issuer, key: key(), codes: Mutex::default() }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(idp.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        idp
    }

    pub(crate) fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// Signs a person in at the address that a site has sent them to. Returns the query with which they come back.
    pub(crate) fn approve(&self, sent_to: &str, person: &Value) -> String {
        let url = Url::parse(sent_to).unwrap();
        assert!(sent_to.starts_with(&format!("{}/authorize?", self.issuer())), "{sent_to}");
        let asked: HashMap<String, String> = url.query_pairs().into_owned().collect();
        let expected = [
            ("response_type", "code"),
            ("client_id", CLIENT),
            ("scope", "openid email profile"),
            ("code_challenge_method", "S256"),
        ];
        for (name, value) in expected {
            assert_eq!(asked[name], value, "{sent_to}");
        }
        let mut claims = json!({
            "iss": self.issuer(), "aud": CLIENT, "exp": 4_000_000_000_u64, "nonce": asked["nonce"],
        });
        claims.as_object_mut().unwrap().extend(person.as_object().unwrap().clone());
        let code = encode(rand::random::<[u8; 16]>());
        let granted = (asked["code_challenge"].clone(), asked["redirect_uri"].clone(), claims);
        self.0.codes.lock().unwrap().insert(code.clone(), granted);
        format!("code={code}&state={}", asked["state"])
    }
}

async fn metadata(State(idp): State<Idp>) -> Json<Value> {
    let issuer = idp.issuer();
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
    }))
}

async fn keys(State(idp): State<Idp>) -> Json<Value> {
    let point = idp.0.key.public_key().as_ref();
    let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
    Json(json!({ "keys": [{ "kty": "EC", "kid": "1", "crv": "P-256", "x": x, "y": y }] }))
}

async fn token(
    State(idp): State<Idp>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> Result<Json<Value>, StatusCode> {
    // RFC 6749 §2.3.1: the secret is form-encoded within.
    let basic = format!("Basic {}", BASE64_STANDARD.encode(format!("{CLIENT}:a+secret%3A+with+signs")));
    if headers.get("authorization").and_then(|field| field.to_str().ok()) != Some(&basic) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let granted = idp.0.codes.lock().unwrap().remove(&form["code"]);
    let (challenge, redirect_uri, claims) = granted.ok_or(StatusCode::BAD_REQUEST)?;
    if encode(Sha256::digest(&form["code_verifier"])) != challenge || form["redirect_uri"] != redirect_uri {
        return Err(StatusCode::BAD_REQUEST);
    }
    let header = json!({ "alg": "ES256", "kid": "1" });
    let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
    let signature = idp.0.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    Ok(Json(json!({ "id_token": format!("{signed}.{}", encode(signature)), "token_type": "Bearer" })))
}
