//! Messages as webhooks send them, signed as Standard Webhooks says:
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>.

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;
use store::webhooks::Delivery;

const PREFIX: &str = "whsec_";

/// The body of a request and its fields.
pub(super) struct Message {
    pub(super) id: String,
    /// Seconds since 1970.
    pub(super) timestamp: u64,
    pub(super) signature: String,
    pub(super) body: String,
}

/// Makes a new secret: 256 bits from the system's generator.
pub(super) fn secret() -> String {
    format!("{PREFIX}{}", BASE64_STANDARD.encode(rand::random::<[u8; 32]>()))
}

impl Message {
    /// Writes and signs a delivery at the time `timestamp`. `None` for a secret that was not made here.
    pub(super) fn of(delivery: &Delivery, secret: &str, timestamp: u64) -> Option<Self> {
        let body = body(delivery);
        let signature = sign(secret, &format!("{}.{timestamp}.{body}", delivery.id))?;
        Some(Self { id: delivery.id.clone(), timestamp, signature, body })
    }
}

fn body(delivery: &Delivery) -> String {
    let mut data = json!({ "id": delivery.video, "title": delivery.title });
    if let Some((code, message)) = &delivery.failure {
        data["error"] = json!({ "code": code, "message": message });
    }
    if let Some((track, language)) = &delivery.captions {
        data["captions"] = json!({ "id": track, "language": language });
    }
    let timestamp = delivery.occurred_at.rfc3339();
    json!({ "type": delivery.event.as_str(), "timestamp": timestamp, "data": data }).to_string()
}

fn sign(secret: &str, content: &str) -> Option<String> {
    let key = BASE64_STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(content.as_bytes());
    Some(format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use store::{Timestamp, webhooks::Event};

    use super::*;

    #[test]
    fn a_message_is_signed_with_its_id_and_its_time() {
        // Worked out by another program: openssl dgst -sha256 -mac hmac -macopt hexkey:… -binary | base64
        let secret = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
        let signature = sign(secret, "msg_1.1614265330.{\"test\": 2432232314}").unwrap();
        assert_eq!(signature, "v1,j11VtDeUXDQT8KUmMISiYihu5PjtxStqqPsrEx62HpM=");
        assert!(sign("secret", "").is_none());
        assert_ne!(super::secret(), super::secret());
    }

    #[test]
    fn a_body_has_what_happened_and_to_what() {
        let delivery = Delivery {
            id: "d".into(),
            webhook: "w".into(),
            event: Event::CaptionsReady,
            video: "v".into(),
            title: "A \"title\"".into(),
            failure: Some(("c".into(), "m".into())),
            captions: Some(("t".into(), Some("en".into()))),
            occurred_at: Timestamp(784_111_777_000_000),
            attempts: 1,
        };
        let data = json!({
            "id": "v", "title": "A \"title\"", "error": { "code": "c", "message": "m" },
            "captions": { "id": "t", "language": "en" },
        });
        let expected = json!({ "type": "captions.ready", "timestamp": "1994-11-06T08:49:37Z", "data": data });
        assert_eq!(body(&delivery), expected.to_string());
    }
}
