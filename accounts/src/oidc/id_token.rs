//! ID tokens: what a provider says of a person, signed with one of its keys (OpenID Connect Core 1.0 §3.1.3.7).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::{Deserialize, de::DeserializeOwned};

// Clocks of two machines.
const LEEWAY_SECONDS: u64 = 60;
// OpenID Connect Core §2.
const MOST_SUBJECT: usize = 255;

/// The keys that a provider publishes (RFC 7517 §5).
#[derive(Clone, Debug, Deserialize)]
pub(super) struct KeySet {
    keys: Vec<Key>,
}

/// A key; those of other kinds have none of the parts.
#[derive(Clone, Debug, Deserialize)]
struct Key {
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
}

/// The claims of a provider about a person.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: Audience,
    azp: Option<String>,
    exp: u64,
    nonce: Option<String>,
    /// The provider's name for the person.
    #[serde(rename = "sub")]
    pub(super) subject: String,
    pub(super) email: Option<String>,
    #[serde(default)]
    pub(super) email_verified: bool,
    pub(super) name: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The claims that a token must have.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    /// Seconds since 1970.
    pub(super) now: u64,
}

/// Why a token is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Invalid {
    /// No key of the set has signed it; the provider may have a new one.
    UnknownKey,
    /// Anything else.
    Refused(&'static str),
}

/// Verifies a token and returns what it says.
pub(super) fn verify(token: &str, keys: &KeySet, expected: Expected<'_>) -> Result<Claims, Invalid> {
    let refused = Invalid::Refused;
    let (signed, signature) = token.rsplit_once('.').ok_or(refused("it has no signature"))?;
    let (header, payload) = signed.split_once('.').ok_or(refused("it has no payload"))?;
    let header: Header = part(header).ok_or(refused("its header cannot be read"))?;
    let signature = decode(signature).ok_or(refused("its signature cannot be read"))?;
    // `none` and keys that are shared secrets are no proof of a provider.
    if !["RS256", "ES256"].contains(&header.alg.as_str()) {
        return Err(refused("it is signed neither by RS256 nor by ES256"));
    }
    // RFC 7515 §4.1.4: `kid` is optional, and a provider with one key may leave it out.
    let mut candidates = keys.keys.iter().filter(|key| header.kid.is_none() || key.kid == header.kid);
    if !candidates.any(|key| key.verifies(&header.alg, signed.as_bytes(), &signature)) {
        return Err(Invalid::UnknownKey);
    }
    let claims: Claims = part(payload).ok_or(refused("its claims cannot be read"))?;
    claims.check(expected)?;
    Ok(claims)
}

impl Claims {
    fn check(&self, expected: Expected<'_>) -> Result<(), Invalid> {
        let Expected { issuer, client_id, nonce, now } = expected;
        // OpenID Connect Core §3.1.3.7, steps 2 to 5, 9 and 11. The nonce keeps a token that was captured from being
        // shown here.
        let checks = [
            (self.iss == issuer, "it is another provider's"),
            (self.aud.has(client_id), "it is for another site"),
            (self.azp.as_ref().is_none_or(|party| party == client_id), "it was given to another site"),
            (self.exp + LEEWAY_SECONDS > now, "it has ended"),
            (self.nonce.as_deref() == Some(nonce), "it is of another sign-in"),
            ((1..=MOST_SUBJECT).contains(&self.subject.len()), "it names nobody"),
        ];
        match checks.iter().find(|(holds, _)| !holds) {
            Some((_, why)) => Err(Invalid::Refused(why)),
            None => Ok(()),
        }
    }
}

impl Audience {
    fn has(&self, client_id: &str) -> bool {
        match self {
            Self::One(one) => one == client_id,
            Self::Many(many) => many.iter().any(|one| one == client_id),
        }
    }
}

impl Key {
    fn verifies(&self, alg: &str, signed: &[u8], signature: &[u8]) -> bool {
        let bytes = |part: &Option<String>| decode(part.as_deref().unwrap_or_default());
        match alg {
            "RS256" => {
                let (Some(n), Some(e)) = (bytes(&self.n), bytes(&self.e)) else { return false };
                RsaPublicKeyComponents { n, e }.verify(&RSA_PKCS1_2048_8192_SHA256, signed, signature).is_ok()
            }
            "ES256" if self.crv.as_deref() == Some("P-256") => {
                let (Some(x), Some(y)) = (bytes(&self.x), bytes(&self.y)) else { return false };
                // SEC 1 §2.3.3: 4 stands before a point whose coordinates are written out.
                let point = [&[4][..], &x, &y].concat();
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, signature).is_ok()
            }
            _ => false,
        }
    }
}

fn decode(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text).ok()
}

fn part<T: DeserializeOwned>(text: &str) -> Option<T> {
    serde_json::from_slice(&decode(text)?).ok()
}

#[cfg(test)]
mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair},
    };
    use serde_json::{Value, json};

    use super::*;

    const EXPECTED: Expected<'_> =
        Expected { issuer: "https://id.example.org", client_id: "clipcut", nonce: "n", now: 1000 };

    fn encode(bytes: impl AsRef<[u8]>) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    }

    struct Provider {
        key: EcdsaKeyPair,
    }

    impl Provider {
        fn new() -> Self {
            let random = SystemRandom::new();
            let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
            let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, document.as_ref(), &random);
            Self { key: key.unwrap() }
        }

        fn keys(&self) -> KeySet {
            let point = self.key.public_key().as_ref();
            let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
            let key = json!({ "kty": "EC", "kid": "k", "crv": "P-256", "x": x, "y": y });
            serde_json::from_value(json!({ "keys": [{ "kty": "oct" }, key] })).unwrap()
        }

        fn sign(&self, header: &Value, claims: &Value) -> String {
            let signed = format!("{}.{}", encode(header.to_string()), encode(claims.to_string()));
            let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
            format!("{signed}.{}", encode(signature))
        }
    }

    fn claims(more: &Value) -> Value {
        let mut claims = json!({
            "iss": "https://id.example.org", "aud": "clipcut", "exp": 2000, "nonce": "n", "sub": "7",
        });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        claims
    }

    #[test]
    fn a_token_counts_for_this_site_this_sign_in_and_this_while() {
        let provider = Provider::new();
        let header = json!({ "alg": "ES256", "kid": "k" });
        let check = |more: Value| {
            let token = provider.sign(&header, &claims(&more));
            verify(&token, &provider.keys(), EXPECTED).map(|claims| claims.subject)
        };
        assert_eq!(check(json!({})), Ok("7".to_owned()));
        assert_eq!(check(json!({ "aud": ["other", "clipcut"], "azp": "clipcut" })), Ok("7".to_owned()));
        assert_eq!(check(json!({ "exp": 950 })), Ok("7".to_owned()), "clocks differ");
        for (wrong, why) in [
            (json!({ "iss": "https://id.example.com" }), "another provider"),
            (json!({ "aud": "other" }), "for another site"),
            (json!({ "aud": ["clipcut"], "azp": "other" }), "given to another site"),
            (json!({ "exp": 900 }), "has ended"),
            (json!({ "nonce": "m" }), "another sign-in"),
            (json!({ "nonce": null }), "another sign-in"),
            (json!({ "sub": "" }), "names nobody"),
        ] {
            let Err(Invalid::Refused(refused)) = check(wrong.clone()) else { panic!("{wrong}") };
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn what_no_key_of_the_provider_has_signed_is_refused() {
        let (provider, other) = (Provider::new(), Provider::new());
        let keys = provider.keys();
        let claims = claims(&json!({}));
        let signed = |provider: &Provider, header: Value| provider.sign(&header, &claims);
        let unknown =
            |token: String| assert_eq!(verify(&token, &keys, EXPECTED).unwrap_err(), Invalid::UnknownKey);
        unknown(signed(&other, json!({ "alg": "ES256", "kid": "k" })));
        unknown(signed(&provider, json!({ "alg": "ES256", "kid": "another" })));
        unknown(signed(&provider, json!({ "alg": "RS256", "kid": "k" })));
        for alg in ["none", "HS256", "es256", ""] {
            let token = signed(&provider, json!({ "alg": alg }));
            assert!(matches!(verify(&token, &keys, EXPECTED), Err(Invalid::Refused(_))), "{alg}");
        }
        for token in ["", ".", "..", "a.b.c"] {
            assert!(verify(token, &keys, EXPECTED).is_err(), "{token}");
        }
    }

    #[test]
    fn the_rsa_signature_of_the_rfc_verifies() {
        // RFC 7515, appendix A.2.
        let n = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
        let key: Key = serde_json::from_value(json!({ "kty": "RSA", "n": n, "e": "AQAB" })).unwrap();
        let signed = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = decode("cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw").unwrap();
        assert!(key.verifies("RS256", signed.as_bytes(), &signature));
        assert!(!key.verifies("RS256", &signed.as_bytes()[1..], &signature));
    }
}
