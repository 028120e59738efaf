//! Signing in by an OpenID provider, which the test starts: linked accounts, verified addresses, and other people's answers.

use accounts::{
    Config, SignUp,
    oidc::{Provider, Registration},
};
use serde_json::{Value, json};
use server::site::PublicUrl;

use crate::{
    harness::{Answer, Client, PASSWORD, Site, config},
    provider::{CLIENT, Idp, SECRET},
};

const SIGN_IN: &str = "/api/v1/oidc/sign-in";
const ADMIN: &str = "admin@example.org";

/// Whether a verified address signs in to the account that has it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ByEmail {
    On,
    Off,
}

fn with(idp: &Idp, by_email: ByEmail) -> Config {
    let site = PublicUrl::parse("https://videos.example.org").unwrap();
    let registration = Registration {
        issuer: idp.issuer(),
        client_id: CLIENT,
        client_secret: SECRET,
        site: &site,
        links_by_email: by_email == ByEmail::On,
    };
    Config { oidc: Some(Provider::read(registration).unwrap()), ..config() }
}

/// Returns the cookies that an answer gives, with those that it takes away left out.
fn cookies(answer: &Answer) -> Vec<String> {
    let fields = answer.headers.get_all("set-cookie").iter().map(|field| field.to_str().unwrap());
    fields
        .filter(|field| !field.contains("Max-Age=0"))
        .map(|field| field.split(';').next().unwrap().to_owned())
        .collect()
}

/// Begins a sign-in. Returns the provider's address, and the browser's cookie of it.
async fn begin(browser: &Client<'_>, next: &str) -> (String, String) {
    let sent = browser.get(&format!("{SIGN_IN}?next={next}")).await;
    sent.is(303);
    (sent.header("location").to_owned(), cookies(&sent).remove(0))
}

/// Comes back from the provider, with these cookies.
async fn come_back(site: &Site, cookie: &str, query: &str) -> Answer {
    let mut browser = site.browser();
    browser.set("cookie", cookie);
    // Chromium's fields of a redirect from another site.
    browser.set("sec-fetch-site", "cross-site");
    let answer = browser.get(&format!("/api/v1/oidc/callback?{query}")).await;
    answer.is(303);
    answer
}

/// Signs a person of the provider in, whole.
async fn sign_in(site: &Site, idp: &Idp, person: &Value) -> Answer {
    let (url, cookie) = begin(&site.browser(), "/mine").await;
    come_back(site, &cookie, &idp.approve(&url, person)).await
}

/// Returns who is signed in by an answer's cookies.
async fn person_of(site: &Site, answer: &Answer) -> Value {
    let mut browser = site.browser();
    browser.set("cookie", &cookies(answer).join("; "));
    browser.get("/api/v1/session").await.json()["user"]["email"].clone()
}

/// Links the account of a browser to a person of the provider.
async fn link(site: &Site, idp: &Idp, browser: &Client<'_>, person: &Value) -> Answer {
    let begun =
        browser.ask("POST", "/api/v1/account/identity", &json!({ "current_password": PASSWORD })).await;
    begun.is(200);
    let query = idp.approve(begun.json()["url"].as_str().unwrap(), person);
    let session = browser.fields.iter().find(|(name, _)| name == "cookie").unwrap().1.clone();
    come_back(site, &format!("{session}; {}", cookies(&begun)[0]), &query).await
}

#[tokio::test]
async fn a_linked_account_signs_in_by_the_providers_name_for_its_person_alone() {
    let idp = Idp::start().await;
    let site = Site::open(with(&idp, ByEmail::Off)).await;
    let browser = site.administrator().await;
    assert_eq!(site.browser().get("/api/v1/session").await.json()["openid"], true);
    // Not by the address, even if it is verified: that is a setting.
    let person = json!({ "sub": "7", "email": ADMIN, "email_verified": true });
    assert_eq!(sign_in(&site, &idp, &person).await.header("location"), "/sign-in?provider=unknown");

    let wrong = json!({ "current_password": "a wrong password" });
    browser.ask("POST", "/api/v1/account/identity", &wrong).await.is_problem(403, "wrong_password");
    assert_eq!(link(&site, &idp, &browser, &person).await.header("location"), "/account");
    assert_eq!(browser.get("/api/v1/account/identity").await.json(), json!({ "linked": true }));
    // Whatever their address is by now.
    let signed_in = sign_in(&site, &idp, &json!({ "sub": "7", "email": "other@example.org" })).await;
    assert_eq!(signed_in.header("location"), "/mine");
    assert_eq!(person_of(&site, &signed_in).await, ADMIN);
    assert_eq!(
        sign_in(&site, &idp, &json!({ "sub": "8" })).await.header("location"),
        "/sign-in?provider=unknown"
    );
    browser.ask("DELETE", "/api/v1/account/identity", &json!({ "current_password": PASSWORD })).await.is(204);
    assert_eq!(browser.get("/api/v1/account/identity").await.json(), json!({ "linked": false }));
}

#[tokio::test]
async fn an_address_signs_in_if_it_is_verified_and_that_is_a_setting() {
    let idp = Idp::start().await;
    let site = Site::open(with(&idp, ByEmail::On)).await;
    site.administrator().await;
    for unverified in [
        json!({ "sub": "7", "email": ADMIN }),
        json!({ "sub": "7", "email": ADMIN, "email_verified": false }),
        json!({ "sub": "7", "email": "nobody@example.org", "email_verified": true }),
    ] {
        let refused = sign_in(&site, &idp, &unverified).await;
        assert_eq!(refused.header("location"), "/sign-in?provider=unknown", "{unverified}");
        assert!(cookies(&refused).is_empty(), "{refused:?}");
    }
    let verified =
        sign_in(&site, &idp, &json!({ "sub": "7", "email": "Admin@Example.org", "email_verified": true }))
            .await;
    assert_eq!(person_of(&site, &verified).await, ADMIN);
    // From now on it is the person, and another one with this address is not.
    assert_eq!(person_of(&site, &sign_in(&site, &idp, &json!({ "sub": "7" })).await).await, ADMIN);
    let other = sign_in(&site, &idp, &json!({ "sub": "8", "email": ADMIN, "email_verified": true })).await;
    assert_eq!(other.header("location"), "/sign-in?provider=unknown");
}

#[tokio::test]
async fn an_answer_counts_in_the_browser_that_asked_and_once() {
    let idp = Idp::start().await;
    let site = Site::open(with(&idp, ByEmail::On)).await;
    site.administrator().await;
    let person = json!({ "sub": "7", "email": ADMIN, "email_verified": true });
    let (url, cookie) = begin(&site.browser(), "//example.org").await;
    let (_, others) = begin(&site.browser(), "/").await;
    let query = idp.approve(&url, &person);
    let failed = async |cookie: &str, query: &str, word: &str| {
        let answer = come_back(&site, cookie, query).await;
        assert_eq!(answer.header("location"), format!("/sign-in?provider={word}"));
        assert!(cookies(&answer).is_empty(), "{answer:?}");
    };
    // Another browser, which an attacker has sent here with an answer of their own; one that has no cookie; another state.
    failed(&others, &query, "expired").await;
    failed("a=b", &query, "expired").await;
    failed(&cookie, "code=x&state=y", "expired").await;
    failed(&cookie, &query.replace("code=", "no="), "cancelled").await;
    failed(&cookie, &query.replace("code=", "code=x"), "failed").await;
    let right = come_back(&site, &cookie, &query).await;
    // The page that was asked for is another site's.
    assert_eq!(right.header("location"), "/");
    assert_eq!(person_of(&site, &right).await, ADMIN);
    failed(&cookie, &query, "failed").await;
    // A token of another sign-in: its nonce is not this browser's.
    let (url, cookie) = begin(&site.browser(), "/").await;
    failed(&cookie, &idp.approve(&url, &json!({ "sub": "7", "nonce": "another" })), "failed").await;
}

#[tokio::test]
async fn a_disabled_account_does_not_sign_in_and_an_open_site_takes_new_people() {
    let idp = Idp::start().await;
    let site = Site::open(Config { sign_up: SignUp::Open, ..with(&idp, ByEmail::Off) }).await;
    let administrator = site.administrator().await;
    let new = json!({ "sub": "9", "email": "new@example.org", "email_verified": true, "name": "New" });
    let signed_in = sign_in(&site, &idp, &new).await;
    assert_eq!(person_of(&site, &signed_in).await, "new@example.org");
    let unverified = json!({ "sub": "10", "email": "ten@example.org" });
    assert_eq!(sign_in(&site, &idp, &unverified).await.header("location"), "/sign-in?provider=unknown");
    let users = administrator.get("/api/v1/users").await.json();
    let users = users["users"].as_array().unwrap();
    assert_eq!((users.len(), &users[1]["name"]), (2, &json!("New")));
    let path = format!("/api/v1/users/{}", users[1]["id"].as_str().unwrap());
    administrator.ask("PATCH", &path, &json!({ "disabled": true })).await.is(200);
    assert_eq!(sign_in(&site, &idp, &new).await.header("location"), "/sign-in?provider=disabled");
}

#[tokio::test]
async fn without_a_provider_the_answer_says_so() {
    let site = Site::open(config()).await;
    site.browser().get(SIGN_IN).await.is_problem(422, "no_provider");
    assert_eq!(site.browser().get("/api/v1/session").await.json()["openid"], false);
}
