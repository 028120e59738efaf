//! Revisions: how often people have changed a thing, as the entity tag of its document and in `If-Match` of an edit (RFC 9110
//! §13.1.1). What changes of it by itself, such as progress, is no part of the tag, for nobody edits that; and nothing else compares
//! it, for no cache keeps a document.

use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;

use crate::{Problem, Response, compression, conditional, document::json};

/// Answers with a document and the tag of its revision.
pub fn tagged(status: StatusCode, document: &impl Serialize, revision: u64) -> Response {
    let mut response = json(status, document);
    response.headers_mut().insert(header::ETAG, field(revision));
    response
}

/// Returns the revision that an edit is of, where its `If-Match` names one; `current` is read before, and compared once more as the
/// edit is written. Without the field anybody's edit is taken: it names the members that it changes.
pub fn seen(headers: &HeaderMap, current: u64) -> Result<Option<u64>, Box<Problem>> {
    if !headers.contains_key(header::IF_MATCH) {
        return Ok(None);
    }
    // The document was read in either coding, each with its own tag; the edit is of the same revision.
    let plain = tag(current);
    let coded = compression::packed(&plain);
    if conditional::if_match(headers, &plain) || conditional::if_match(headers, &coded) {
        Ok(Some(current))
    } else {
        Err(Box::new(edited(current)))
    }
}

/// Returns the refusal of an edit of what somebody else has changed, with the tag of what is there now.
pub fn edited(current: u64) -> Problem {
    let detail = "Somebody has changed this since you read it. Read it again, and change it then.";
    Problem::new(StatusCode::PRECONDITION_FAILED, "edited_meanwhile", detail)
        .header(header::ETAG, field(current))
}

fn tag(revision: u64) -> String {
    format!("\"{revision}\"")
}

fn field(revision: u64) -> HeaderValue {
    HeaderValue::try_from(tag(revision)).expect("digits in quotes are a field's value")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_of_the_revision_that_it_names_and_of_none_where_it_names_none() {
        let seen = |field: Option<&'static str>| {
            let mut headers = HeaderMap::new();
            if let Some(field) = field {
                headers.insert(header::IF_MATCH, HeaderValue::from_static(field));
            }
            super::seen(&headers, 7).map_err(|problem| (problem.status().as_u16(), problem.code().to_owned()))
        };
        assert_eq!(seen(None), Ok(None));
        for right in ["\"7\"", "\"6\", \"7\"", "\"7-gzip\"", "*"] {
            assert_eq!(seen(Some(right)), Ok(Some(7)), "{right}");
        }
        // RFC 9110 §8.8.3.2: a weak tag never matches strongly.
        for wrong in ["\"6\"", "\"6-gzip\"", "W/\"7\"", "7", ""] {
            assert_eq!(seen(Some(wrong)), Err((412, "edited_meanwhile".to_owned())), "{wrong}");
        }
        let answer = Response::from(edited(7));
        assert_eq!(answer.headers()[header::ETAG], "\"7\"");
    }
}
