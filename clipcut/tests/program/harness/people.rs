//! People of a running server, as a browser makes them.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{Answer, Http};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Makes the first account of a site; [`None`] where the server dies meanwhile, or has an account.
pub(crate) async fn sign_up(http: &Http, email: &str) -> Option<Answer> {
    make(http, json!({ "name": email, "email": email, "password": PASSWORD })).await
}

/// Makes an account by a link of the administrator with that cookie; [`None`] where the server dies meanwhile.
pub(crate) async fn invite(http: &Http, administrator: &str, email: &str) -> Option<Answer> {
    let request = http.request("POST", "/api/v1/invitations").header("Cookie", administrator);
    let invited = Http::try_ask(request.json(&json!({}))).await.ok()?.json();
    let key = invited["link"].as_str().unwrap().replace("/?invitation=", "");
    make(http, json!({ "name": email, "email": email, "password": PASSWORD, "key": key })).await
}

async fn make(http: &Http, new: Value) -> Option<Answer> {
    let made = Http::try_ask(http.request("POST", "/api/v1/users").json(&new)).await.ok()?;
    (made.status == StatusCode::CREATED).then_some(made)
}

/// Returns the session of an answer to a sign-up or a sign-in.
pub(crate) fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}
