//! `Upload-Checksum`: the checksum that the bytes of one request must have.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, StatusCode};
use server::Problem;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::fields::UPLOAD_CHECKSUM;
use crate::error::{Error, Result, bad_request};

/// The algorithms' names, as `Tus-Checksum-Algorithm` lists them.
pub(super) const ALGORITHMS: &str = "sha1,sha256";

/// A running checksum, and the expected one.
pub(super) struct Checksum {
    running: Running,
    expected: Vec<u8>,
}

enum Running {
    Sha1(Sha1),
    Sha256(Sha256),
}

impl Checksum {
    /// Reads the request's checksum, if it has one.
    pub(super) fn expected(headers: &HeaderMap) -> Result<Option<Self>> {
        let Some(field) = headers.get(UPLOAD_CHECKSUM) else { return Ok(None) };
        let invalid =
            || bad_request("invalid_checksum", "Upload-Checksum must be an algorithm and a base 64 value.");
        let (algorithm, value) =
            field.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(invalid)?;
        let running = match algorithm {
            // tus, Checksum: a server must have SHA-1. It guards against broken lines here, not against attackers.
            "sha1" => Running::Sha1(Sha1::new()),
            "sha256" => Running::Sha256(Sha256::new()),
            _ => {
                let detail = format!("Upload-Checksum may be one of {ALGORITHMS}.");
                return Err(bad_request("unsupported_checksum", detail));
            }
        };
        let expected = STANDARD.decode(value.trim()).map_err(|_| invalid())?;
        Ok(Some(Self { running, expected }))
    }

    /// Takes the next bytes. They are a network frame, so hashing them takes some ten microseconds: less than
    /// handing them to another thread and back.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match &mut self.running {
            Running::Sha1(hash) => hash.update(bytes),
            Running::Sha256(hash) => hash.update(bytes),
        }
    }

    /// Compares; the protocol has a status of its own for bytes that do not add up.
    pub(super) fn compare(self) -> Result<()> {
        let found = match self.running {
            Running::Sha1(hash) => hash.finalize().to_vec(),
            Running::Sha256(hash) => hash.finalize().to_vec(),
        };
        if found == self.expected {
            return Ok(());
        }
        // tus, Checksum: the status is 460, which is not registered.
        let status = StatusCode::from_u16(460).expect("between 100 and 999");
        let detail = "The bytes that came are not those that were promised; none of them was kept.";
        Err(Error::from(Problem::new(status, "checksum_mismatch", detail)))
    }
}
