//! The ticket that a request shows, and the mark on responses that need one. The origin sets the mark; it stays with the object,
//! so that a hit needs a ticket too, and goes to other edges alone.

use http::{HeaderMap, HeaderValue, request::Parts};
use server::ticket::{FROM, Refusal, SHOWN, Ticket};

use crate::signature;

/// A request's ticket, which admission has verified.
#[derive(Clone, Debug)]
pub(crate) struct ShownTicket {
    text: HeaderValue,
    end: u64,
    by: Carrier,
}

/// The part of a request that carries its ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// The path, as clients have it.
    Path,
    /// The field, as an edge in front of this one has it.
    Field,
}

/// The mark: tickets that end before this second are void.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TicketsFrom(u64);

impl ShownTicket {
    pub(crate) fn new(ticket: &Ticket, by: Carrier) -> Option<Self> {
        let mut text = HeaderValue::try_from(ticket.text()).ok()?;
        text.set_sensitive(true);
        Some(Self { text, end: ticket.end(), by })
    }

    /// Reads the field of a peer's request, whose ticket the peer has verified.
    pub(crate) fn of_peer(field: &HeaderValue) -> Option<Self> {
        Self::new(&field.to_str().ok()?.parse().ok()?, Carrier::Field)
    }

    /// Shows it to the origin, or to a peer.
    pub(crate) fn put(&self, headers: &mut HeaderMap) {
        headers.insert(SHOWN, self.text.clone());
    }
}

impl TicketsFrom {
    /// Takes the mark out of a response's fields. One that cannot be read voids all tickets.
    pub(crate) fn take(headers: &mut HeaderMap) -> Option<Self> {
        let field = headers.remove(FROM)?;
        Some(Self(field.to_str().ok().and_then(|text| text.parse().ok()).unwrap_or(u64::MAX)))
    }

    /// Puts it back, for another edge.
    pub(crate) fn put(self, headers: &mut HeaderMap) {
        headers.insert(FROM, self.0.into());
    }
}

/// Decides whether a request may have what is marked so. A peer may: it keeps the mark, and decides for its own clients.
pub(crate) fn check(request: &Parts, mark: Option<TicketsFrom>) -> Result<(), Refusal> {
    let Some(TicketsFrom(from)) = mark else { return Ok(()) };
    if request.headers.contains_key(signature::NAME) {
        return Ok(());
    }
    match request.extensions.get::<ShownTicket>() {
        Some(ticket) if ticket.end >= from => Ok(()),
        Some(_) => Err(Refusal::Expired),
        None => Err(Refusal::BadSignature),
    }
}

/// Returns whether an admitted request comes from another edge, which keeps the mark with the object.
pub(crate) fn keeps_mark(request: &Parts) -> bool {
    let by_field = |ticket: &ShownTicket| ticket.by == Carrier::Field;
    request.headers.contains_key(signature::NAME) || request.extensions.get().is_some_and(by_field)
}
