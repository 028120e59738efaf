//! Search: videos by their words, with the moments in which these are said.

use axum::extract::{Query, State, rejection::QueryRejection};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use server::{Response, document::json};
use store::{Found, Place, SearchCursor, SearchHit, Shown, Timestamp, Wanted, Words};
use utoipa::{IntoParams, ToSchema};

use crate::{
    Document, Origin,
    asker::Asker,
    error::{Result, bad_request},
    schema::places,
};

const PAGE: u32 = 20;
const MOST_PAGE: u32 = 50;
// In characters: a sentence, not a book.
const MOST_QUERY: usize = 500;

/// The words of a search, and the part of its results that is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct SearchQuery {
    /// Words in any order, and texts in quotes as they stand.
    #[param(max_length = 500)]
    q: String,
    /// The videos of a page; 20 where it is not given.
    #[param(minimum = 1, maximum = 50)]
    limit: Option<u32>,
    /// The `next` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SearchPage)]
pub(crate) struct Results {
    results: Vec<FoundDocument>,
    #[schema(required)]
    next: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SearchResult)]
struct FoundDocument {
    video: Document,
    /// The first of the places in which it was found: title, about, speech.
    #[schema(schema_with = places)]
    place: &'static str,
    /// The first cues in which all words are said.
    hits: Vec<HitDocument>,
    hits_total: u32,
}

#[derive(Serialize, ToSchema)]
#[schema(as = SearchHit)]
struct HitDocument {
    #[schema(required)]
    language: Option<String>,
    start_seconds: f64,
    end_seconds: f64,
    text: String,
}

/// Finds videos: those with the words in the title first, then in the description, then in speech; each newest first.
#[utoipa::path(
    get, path = "/api/v1/search", tag = "videos", operation_id = "searchVideos",
    params(SearchQuery),
    responses(
        (status = 200, body = Results),
        (status = 400, description = "`invalid_query`, `invalid_limit`, `invalid_cursor`, `query_too_long`"),
    ),
)]
pub(crate) async fn find(
    State(origin): State<Origin>,
    asker: Asker,
    query: std::result::Result<Query<SearchQuery>, QueryRejection>,
) -> Result<Response> {
    let Query(query) = query.map_err(|e| bad_request("invalid_query", e.body_text()))?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=MOST_PAGE).contains(&limit) {
        return Err(bad_request("invalid_limit", format!("A page has 1 to {MOST_PAGE} videos.")));
    }
    if query.q.chars().count() > MOST_QUERY {
        let detail = format!("A search has at most {MOST_QUERY} characters.");
        return Err(bad_request("query_too_long", detail));
    }
    let after = match query.cursor.as_deref().map(decode_cursor) {
        Some(None) => return Err(bad_request("invalid_cursor", "The cursor is not one that a search gave.")),
        Some(cursor) => cursor,
        None => None,
    };
    // Lists and searches show the same videos.
    let wanted =
        Wanted { words: &Words::parse(&query.q), shown: &Shown::to(&asker.viewer), after: after.as_ref() };
    let found = origin.store.search.find(&wanted, limit).await?;
    let next = found.next.as_ref().map(encode_cursor);
    let (mut videos, mut places) = (Vec::new(), Vec::new());
    for Found { video, place, hits, hits_total } in found.found {
        videos.push(video);
        places.push((place, hits, hits_total));
    }
    let documents = Document::of_all(&origin, &asker, videos).await?.into_iter();
    let results = documents.zip(places).map(|(video, (place, hits, hits_total))| FoundDocument {
        video,
        place: place.as_str(),
        hits: hits.into_iter().map(HitDocument::from).collect(),
        hits_total,
    });
    Ok(json(StatusCode::OK, &Results { results: results.collect(), next }))
}

impl From<SearchHit> for HitDocument {
    fn from(hit: SearchHit) -> Self {
        let seconds = |ms: u64| ms as f64 / 1000.0;
        Self {
            language: hit.language,
            start_seconds: seconds(hit.start_ms),
            end_seconds: seconds(hit.end_ms),
            text: hit.text,
        }
    }
}

fn encode_cursor(cursor: &SearchCursor) -> String {
    format!("{}-{}-{}", cursor.place.as_str(), cursor.created_at.0, cursor.id)
}

fn decode_cursor(text: &str) -> Option<SearchCursor> {
    let mut parts = text.splitn(3, '-');
    let place = Place::parse(parts.next()?)?;
    let created_at = Timestamp(parts.next()?.parse().ok()?);
    Some(SearchCursor { place, created_at, id: parts.next()?.parse().ok()? })
}
