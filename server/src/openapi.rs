//! Operations of an API's document: those of all its paths, and the refusals that many of them have in common.

use http::{Method, StatusCode};
use utoipa::openapi::{
    Content, OpenApi, Ref, RefOr, Response,
    path::{Operation, PathItem},
};

/// The media type of refusals (RFC 9457).
pub const PROBLEM: &str = "application/problem+json";

/// Returns the operations of an API, each with its path and its method.
pub fn operations(api: &mut OpenApi) -> impl Iterator<Item = (&str, Method, &mut Operation)> {
    api.paths.paths.iter_mut().flat_map(|(path, item)| {
        let PathItem { get, put, post, delete, head, patch, .. } = item;
        let all = [
            (Method::GET, get),
            (Method::PUT, put),
            (Method::POST, post),
            (Method::DELETE, delete),
            (Method::HEAD, head),
            (Method::PATCH, patch),
        ];
        all.into_iter().filter_map(|(method, operation)| Some((path.as_str(), method, operation.as_mut()?)))
    })
}

/// Adds refusals to the operations that read a JSON document.
pub fn refuse_documents(api: &mut OpenApi, refusals: &[(StatusCode, &str)]) {
    for (_, _, operation) in operations(api) {
        let Some(RefOr::T(body)) = &operation.request_body else { continue };
        if body.content.contains_key("application/json") {
            for (status, codes) in refusals {
                refuse(operation, *status, codes);
            }
        }
    }
}

/// Adds the problems `codes` to an operation's answers with `status`.
pub fn refuse(operation: &mut Operation, status: StatusCode, codes: &str) {
    let answers = &mut operation.responses.responses;
    let answer = answers.entry(status.as_str().to_owned()).or_insert_with(|| RefOr::T(Response::new("")));
    let RefOr::T(answer) = answer else { return };
    if !answer.description.is_empty() {
        answer.description += ", ";
    }
    answer.description += codes;
    add_problem(answer);
}

/// Gives every answer that has none a description, and those that refuse their problem.
pub fn complete(api: &mut OpenApi) {
    for (_, _, operation) in operations(api) {
        for (status, answer) in &mut operation.responses.responses {
            let RefOr::T(answer) = answer else { continue };
            let status: Option<StatusCode> = status.parse().ok();
            if answer.description.is_empty() {
                let phrase = status.and_then(|status| status.canonical_reason());
                phrase.unwrap_or("Refused").clone_into(&mut answer.description);
            }
            if answer.content.is_empty() && status.is_some_and(|status| status.as_u16() >= 400) {
                add_problem(answer);
            }
        }
    }
}

fn add_problem(answer: &mut Response) {
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    answer.content.insert(PROBLEM.to_owned(), RefOr::T(problem));
}
