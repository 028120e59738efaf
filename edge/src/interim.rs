//! In charge of what an origin says before its answer (RFC 9110 §15.2): a proxy passes that on.

use server::{Interim, Request};

use crate::hop;

/// Has the interim answers to `request` go to where those of the client's request go.
pub(crate) fn pass_on(request: &mut Request, to: Option<Interim>) {
    let Some(to) = to else { return };
    hyper::ext::on_informational(request, move |answer| {
        let mut headers = answer.headers().clone();
        hop::drop_hop_by_hop(&mut headers);
        to.send(answer.status(), &headers);
    });
}
