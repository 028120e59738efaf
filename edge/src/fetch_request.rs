//! The request of a fetch: what of a client's request goes to the origin, and so what its fetch may be shared by.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};
use server::{Request, body};

use crate::{
    EdgeInner, in_flight::FetchKey, key::Target, object::Object, shown::ShownTicket, signature,
    storable::RequestAuth, vary,
};

// Fetch Standard, HTTP purpose.
const SEC_PURPOSE: HeaderName = HeaderName::from_static("sec-purpose");

/// The request of a fetch.
#[derive(Clone, Debug)]
pub(crate) struct FetchRequest {
    pub(crate) target: Target,
    pub(crate) fetch_key: FetchKey,
    /// The request headers that are forwarded to the origin.
    pub(crate) forwarded_headers: HeaderMap,
    /// Further request headers of the client that starts the fetch, sent in case that the response is for it alone.
    pub(crate) unkeyed: HeaderMap,
    pub(crate) auth: RequestAuth,
    pub(crate) hop: Hop,
    pub(crate) via: HeaderValue,
    /// The ticket of the request that starts the fetch.
    pub(crate) ticket: Option<ShownTicket>,
    /// The stored object to validate, if any (RFC 9111 §4.3).
    pub(crate) stale: Option<Arc<Object>>,
    /// Nobody waits for it yet, so that the origin encodes nothing for it.
    pub(crate) is_prefetch: bool,
}

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hop {
    /// From a client: a peer may be asked.
    First,
    /// From a peer: only the origin may.
    Second,
}

impl FetchRequest {
    /// Builds the request to the origin. A field that is neither in the key nor named by `Vary` is not forwarded: it could
    /// change an answer that others get.
    pub(crate) fn new(inner: &EdgeInner, target: &Target, parts: &Parts, names: &[HeaderName]) -> Self {
        let mut forwarded_headers = HeaderMap::new();
        for name in names.iter().filter(|name| !inner.config.forward_headers.contains(name)) {
            for value in parts.headers.get_all(name) {
                forwarded_headers.append(name.clone(), value.clone());
            }
        }
        forwarded_headers
            .insert(header::ACCEPT_ENCODING, HeaderValue::from_static(vary::coding(&parts.headers)));
        for name in &inner.config.forward_headers {
            for value in parts.headers.get_all(name) {
                forwarded_headers.append(name.clone(), value.clone());
            }
        }
        let mut selecting = vary::select(names, &parts.headers);
        if !names.contains(&header::ACCEPT_ENCODING) {
            selecting.push((header::ACCEPT_ENCODING, Some(vary::coding(&parts.headers).to_owned())));
        }
        if let Some(value) = parts.headers.get(header::AUTHORIZATION) {
            forwarded_headers.insert(header::AUTHORIZATION, value.clone());
            // Requests with different credentials do not share a fetch: its answer may be for one of them alone
            // (RFC 9111 §3.5).
            selecting.extend(vary::select(&[header::AUTHORIZATION], &parts.headers));
        }
        selecting.sort_unstable_by(|a, b| a.0.as_str().cmp(b.0.as_str()));
        selecting.dedup();
        let entry = inner.cache.memory.get(target.as_str());
        let stale = entry.and_then(|entry| entry.find(&parts.headers).cloned());
        let fetch_key = FetchKey { key: target.key(), selecting };
        let hop = if parts.headers.contains_key(signature::NAME) { Hop::Second } else { Hop::First };
        let (via, auth) = (inner.via.of(parts.version), RequestAuth::of(&parts.headers));
        let unkeyed = HeaderMap::new();
        Self {
            target: target.clone(),
            fetch_key,
            forwarded_headers,
            unkeyed,
            auth,
            hop,
            via,
            ticket: parts.extensions.get().cloned(),
            stale,
            is_prefetch: false,
        }
    }

    /// Returns the message for the origin or a peer; with `stale`, one that validates it.
    pub(crate) fn message(&self, stale: Option<&Object>, unkeyed: &HeaderMap) -> Request {
        let mut request = Request::new(body::empty());
        *request.method_mut() = Method::GET;
        // The key's path was a URI's once.
        *request.uri_mut() = self.target.path_and_query().parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.clone_from(&self.forwarded_headers);
        headers.extend(unkeyed.clone());
        headers.insert(header::VIA, self.via.clone());
        if self.is_prefetch {
            headers.insert(SEC_PURPOSE, HeaderValue::from_static("prefetch"));
        }
        if let Some(ticket) = &self.ticket {
            ticket.put(headers);
        }
        if let Ok(host) = HeaderValue::from_str(self.target.host()) {
            headers.insert(header::HOST, host);
        }
        // RFC 9111 §4.3.1: with both validators where we have both.
        if let Some(stale) = stale {
            for (ours, theirs) in
                [(header::ETAG, header::IF_NONE_MATCH), (header::LAST_MODIFIED, header::IF_MODIFIED_SINCE)]
            {
                if let Some(value) = stale.head.headers.get(ours) {
                    headers.insert(theirs, value.clone());
                }
            }
        }
        request
    }
}
