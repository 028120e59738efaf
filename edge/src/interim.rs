//! In charge of what an origin says before its answer (RFC 9110 §15.2): a proxy passes that on.

use http::{HeaderMap, StatusCode};
use server::Interim;

use crate::hop;

/// Passes on to a client what an origin said.
pub(crate) fn pass_on(client: &Interim, status: StatusCode, headers: &HeaderMap) {
    let mut headers = headers.clone();
    hop::drop_hop_by_hop(&mut headers);
    client.send(status, headers);
}
