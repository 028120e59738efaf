//! The second factor: turned on by a first code, asked for at each sign-in, and no code of it taken twice.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::harness::{Answer, Client, PASSWORD, Site, config};

const PATH: &str = "/api/v1/account/second-factor";
const ADMIN: &str = "admin@example.org";

/// An authenticator app that has scanned the picture.
struct App(totp_rs::Totp);

impl App {
    fn with(secret: &str) -> Self {
        Self(Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap())
    }

    /// Returns the code of this half minute, or of the next one. A code counts in its neighbours too, so no test hangs on the
    /// clock.
    fn code(&self, steps: u64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        self.0.generate(now + steps * 30).to_string()
    }
}

/// Begins to set it up.
async fn begin(browser: &Client<'_>) -> (App, Value) {
    let begun = browser.ask("POST", PATH, &json!({ "current_password": PASSWORD })).await;
    begun.is(200);
    let begun = begun.json();
    (App::with(begun["secret"].as_str().unwrap()), begun)
}

/// Turns it on, and returns the recovery codes.
async fn turn_on(browser: &Client<'_>) -> (App, Vec<String>) {
    let (app, _) = begin(browser).await;
    let on = browser.ask("PUT", PATH, &json!({ "code": app.code(0) })).await;
    on.is(200);
    let codes = on.json()["recovery_codes"].as_array().unwrap().clone();
    (app, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
}

async fn sign_in(site: &Site, password: &str, code: Option<&str>) -> Answer {
    let document = json!({ "email": ADMIN, "password": password, "code": code });
    site.browser().ask("POST", "/api/v1/session", &document).await
}

#[tokio::test]
async fn a_sign_in_asks_for_the_code_and_takes_each_once() {
    let site = Site::open(config()).await;
    let browser = site.administrator().await;
    let (app, recovery_codes) = turn_on(&browser).await;
    assert_eq!(browser.get(PATH).await.json(), json!({ "on": true, "recovery_codes_left": 10 }));
    sign_in(&site, PASSWORD, None).await.is_problem(401, "second_factor_required");
    sign_in(&site, PASSWORD, Some(" ")).await.is_problem(401, "second_factor_required");
    sign_in(&site, PASSWORD, Some("abcdef")).await.is_problem(403, "wrong_code");
    // The wrong password has the answer that it always had, whatever the code.
    sign_in(&site, "a wrong password", Some(&app.code(0))).await.is_problem(401, "wrong_credentials");
    let code = app.code(1);
    sign_in(&site, PASSWORD, Some(&format!("{} {}", &code[..3], &code[3..]))).await.is(200);
    sign_in(&site, PASSWORD, Some(&code)).await.is_problem(403, "wrong_code");
    // An older one is no good either, once a newer one was taken.
    sign_in(&site, PASSWORD, Some(&app.code(0))).await.is_problem(403, "wrong_code");
    sign_in(&site, PASSWORD, Some(&recovery_codes[0].to_uppercase())).await.is(200);
    sign_in(&site, PASSWORD, Some(&recovery_codes[0])).await.is_problem(403, "wrong_code");
    assert_eq!(browser.get(PATH).await.json()["recovery_codes_left"], 9);
}

#[tokio::test]
async fn it_is_turned_on_and_off_by_the_password_and_not_on_without_a_code() {
    let site = Site::open(config()).await;
    let browser = site.administrator().await;
    let wrong = json!({ "current_password": "a wrong password" });
    browser.ask("POST", PATH, &wrong).await.is_problem(403, "wrong_password");
    browser.ask("PUT", PATH, &json!({ "code": "123456" })).await.is_problem(422, "no_second_factor");
    let (_, begun) = begin(&browser).await;
    assert!(
        begun["uri"].as_str().unwrap().starts_with("otpauth://totp/Clip%20Cut:admin%40example.org?"),
        "{begun}"
    );
    assert!(begun["qr"]["path"].as_str().unwrap().starts_with("M0 0h1v1h-1z"), "{begun}");
    // Begun is not on: a person who closes the page here still signs in by the password alone.
    sign_in(&site, PASSWORD, None).await.is(200);
    browser.ask("PUT", PATH, &json!({ "code": "abc" })).await.is_problem(403, "wrong_code");
    turn_on(&browser).await;
    let again = browser.ask("POST", PATH, &json!({ "current_password": PASSWORD })).await;
    again.is_problem(422, "second_factor_on");
    browser.ask("DELETE", PATH, &wrong).await.is_problem(403, "wrong_password");
    sign_in(&site, PASSWORD, None).await.is_problem(401, "second_factor_required");
    browser.ask("DELETE", PATH, &json!({ "current_password": PASSWORD })).await.is(204);
    sign_in(&site, PASSWORD, None).await.is(200);
    assert_eq!(browser.get(PATH).await.json(), json!({ "on": false, "recovery_codes_left": 0 }));
}

#[tokio::test]
async fn codes_are_tried_ten_times_and_then_slowly() {
    let site = Site::open(accounts::Config { attempts_of_account: u64::MAX, ..config() }).await;
    let browser = site.administrator().await;
    let (app, _) = turn_on(&browser).await;
    // The one that turned it on counts.
    for _ in 1..10 {
        sign_in(&site, PASSWORD, Some("abcdef")).await.is_problem(403, "wrong_code");
    }
    let refused = sign_in(&site, PASSWORD, Some(&app.code(1))).await;
    refused.is_problem(429, "too_many_attempts");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 60, "{refused:?}");
}
