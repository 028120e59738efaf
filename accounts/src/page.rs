//! The page of a list that a request asks for, by the last entry of the page before.

use axum::{
    extract::{FromRequestParts, Query},
    http::request::Parts,
};
use serde::Deserialize;
use store::{Entries, MOST_ENTRIES, PageOf, PlaceInList};
use utoipa::IntoParams;

use crate::{Error, error::bad_request};

const USUAL: u32 = 50;

/// The part of a query that names a page.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParams {
    /// The entries of a page; 50 where it is not given.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

/// A page that is asked for.
pub(crate) struct Page {
    after: Option<PlaceInList>,
    limit: u32,
}

impl Page {
    /// Returns the page for the store.
    pub(crate) fn of(&self) -> PageOf<'_> {
        PageOf { after: self.after.as_ref(), limit: self.limit }
    }
}

/// Returns the `cursor` of the next page.
pub(crate) fn next<T>(page: &Entries<T>) -> Option<String> {
    page.next.as_ref().map(ToString::to_string)
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let query = Query::<PageParams>::try_from_uri(&parts.uri);
        let Query(params) = query.map_err(|e| bad_request("invalid_query", e.body_text()))?;
        let limit = params.limit.unwrap_or(USUAL);
        if !(1..=MOST_ENTRIES).contains(&limit) {
            let detail = format!("A page has 1 to {MOST_ENTRIES} entries.");
            return Err(bad_request("invalid_limit", detail));
        }
        let after = match params.cursor.as_deref().map(PlaceInList::parse) {
            Some(None) => {
                return Err(bad_request("invalid_cursor", "The cursor is not one that a list gave."));
            }
            Some(place) => place,
            None => None,
        };
        Ok(Self { after, limit })
    }
}
