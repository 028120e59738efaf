//! Mail, through a real SMTP server: forgotten passwords, invitations, and addresses that are proved.

use accounts::{Accounts, Config, SignUp, mail::Server};
use serde_json::{Value, json};
use server::site::PublicUrl;
use testbed::Smtp;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::harness::{Answer, PASSWORD, Site, config};

const RESETS: &str = "/api/v1/password-resets";
const ADMIN: &str = "admin@example.org";
const NEW: &str = "another correct horse";

fn with_mail(smtp: &Smtp) -> Config {
    let site = PublicUrl::parse("https://videos.example.org").unwrap();
    let server = Server::read(smtp.url(), "Clip Cut <videos@example.org>", &site).unwrap();
    Config { mail: Some(server), sign_up: SignUp::Invitation, ..config() }
}

/// Sends mail until it is dropped.
fn sending(accounts: &Accounts) -> DropGuard {
    let stop = CancellationToken::new();
    let (accounts, stopped) = (accounts.clone(), stop.clone());
    tokio::spawn(async move { accounts.send_mail(stopped).await });
    stop.drop_guard()
}

/// Waits for a mail beside the server that sends it.
async fn next(smtp: &std::sync::Arc<Smtp>) -> String {
    let smtp = smtp.clone();
    // Lines of mail end with an `=` where they go on (RFC 2045 §6.7).
    tokio::task::spawn_blocking(move || smtp.next())
        .await
        .unwrap()
        .replace("\r\n", "\n")
        .replace("=\n", "")
        .replace("=3D", "=")
}

fn key(mail: &str, before: &str) -> String {
    let at = mail.find(before).unwrap_or_else(|| panic!("{mail}")) + before.len();
    mail[at..].chars().take_while(char::is_ascii_hexdigit).collect()
}

async fn ask(site: &Site, email: &str) -> Answer {
    site.browser().ask("POST", RESETS, &json!({ "email": email })).await
}

async fn set(site: &Site, key: &str, password: &str) -> Answer {
    site.browser().ask("PUT", RESETS, &json!({ "key": key, "new_password": password })).await
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_once_by_a_link_and_all_sessions_end() {
    let smtp = std::sync::Arc::new(Smtp::start());
    let site = Site::open(with_mail(&smtp)).await;
    let browser = site.administrator().await;
    assert_eq!(site.browser().get("/api/v1/session").await.json()["mail"], true);
    let _sending = sending(&site.accounts);
    let answer = ask(&site, "ADMIN@example.org").await;
    answer.is(202);
    let mail = next(&smtp).await;
    for part in ["From: \"Clip Cut\" <videos@example.org>", "To: admin@example.org", "within an hour"] {
        assert!(mail.contains(part), "{part} in {mail}");
    }
    let key = key(&mail, "https://videos.example.org/forgotten?key=");
    set(&site, &key, "short").await.is_problem(422, "password_too_short");
    set(&site, &key, NEW).await.is(204);
    set(&site, &key, NEW).await.is_problem(403, "wrong_key");
    browser.get("/api/v1/account").await.is_problem(401, "sign_in_required");
    site.browser().sign_in(ADMIN, PASSWORD).await.is_problem(401, "wrong_credentials");
    site.browser().sign_in(ADMIN, NEW).await.is(200);
}

#[tokio::test]
async fn an_address_without_an_account_has_the_same_answer_and_no_mail() {
    let smtp = std::sync::Arc::new(Smtp::start());
    let site = Site::open(with_mail(&smtp)).await;
    site.administrator().await;
    let _sending = sending(&site.accounts);
    let unknown = ask(&site, "nobody@example.org").await;
    let known = ask(&site, ADMIN).await;
    assert_eq!((unknown.status, &unknown.body), (known.status, &known.body));
    let mail = next(&smtp).await;
    assert!(mail.contains(&format!("To: {ADMIN}")), "{mail}");
    // Mail goes in order, so that one to nobody would have come before.
    assert_eq!(smtp.count(), 0);
    // Nobody's mailbox is filled, whether there is one or not.
    for email in ["nobody@example.org", ADMIN] {
        ask(&site, email).await.is(202);
        ask(&site, email).await.is(202);
        ask(&site, email).await.is_problem(429, "too_many_attempts");
    }
}

#[tokio::test]
async fn an_invitation_goes_by_mail_to_the_one_address_that_may_use_it() {
    let smtp = std::sync::Arc::new(Smtp::start());
    let site = Site::open(with_mail(&smtp)).await;
    let browser = site.administrator().await;
    let _sending = sending(&site.accounts);
    let wanted = json!({ "email": "new@example.org" });
    let made = browser.ask("POST", "/api/v1/invitations", &wanted).await;
    assert_eq!(made.json()["link"], Value::Null, "{made:?}");
    let mail = next(&smtp).await;
    assert!(mail.contains("To: new@example.org"), "{mail}");
    let key = key(&mail, "https://videos.example.org/?invitation=");
    site.browser().sign_up("new@example.org", Some(&key)).await;
    // To somebody who has an account, a link that makes one is of no use.
    browser.ask("POST", "/api/v1/invitations", &json!({ "email": ADMIN })).await.is(201);
    assert!(next(&smtp).await.contains("has one already"));
    assert_eq!(browser.get("/api/v1/invitations").await.json()["invitations"], json!([]));
    // Without an address there is nobody to write to.
    let link = browser.ask("POST", "/api/v1/invitations", &json!({})).await.json();
    assert!(link["link"].as_str().unwrap().starts_with("/?invitation="), "{link}");
}

#[tokio::test]
async fn on_an_open_site_a_mail_alone_tells_whether_an_address_has_an_account() {
    let smtp = std::sync::Arc::new(Smtp::start());
    let site = Site::open(Config { sign_up: SignUp::Open, ..with_mail(&smtp) }).await;
    site.administrator().await;
    let _sending = sending(&site.accounts);
    let browser = site.browser();
    let ask = async |email: &str| browser.ask("POST", "/api/v1/sign-ups", &json!({ "email": email })).await;
    let (known, unknown) = (ask("Admin@example.org").await, ask("New@example.org").await);
    known.is(202);
    assert_eq!((known.status, &known.body), (unknown.status, &unknown.body));
    let to_known = next(&smtp).await;
    assert!(to_known.contains("To: Admin@example.org") && to_known.contains("has one already"), "{to_known}");
    assert!(!to_known.contains("key=") && !to_known.contains("invitation="), "{to_known}");
    let mail = next(&smtp).await;
    assert!(mail.contains("To: New@example.org"), "{mail}");
    let key = key(&mail, "https://videos.example.org/?invitation=");
    let new = |email: &str| json!({ "name": "N", "email": email, "password": PASSWORD, "key": key });
    for email in ["other@example.org", ADMIN] {
        browser.ask("POST", "/api/v1/users", &new(email)).await.is_problem(403, "wrong_key");
    }
    let user = site.browser().sign_up("new@example.org", Some(&key)).await;
    assert_eq!(user["role"], "user");
    browser.ask("POST", "/api/v1/users", &new("new@example.org")).await.is_problem(403, "wrong_key");
    // No list of an administrator has it, for nobody has invited anybody.
    ask("third@example.org").await.is(202);
    next(&smtp).await;
    let mut admin = site.browser();
    admin.sign_in(ADMIN, PASSWORD).await.is(200);
    assert_eq!(admin.get("/api/v1/invitations").await.json()["invitations"], json!([]));
}

#[tokio::test]
async fn a_second_wish_for_an_account_voids_the_link_of_the_first_and_a_third_is_the_last_of_an_hour() {
    let smtp = std::sync::Arc::new(Smtp::start());
    let site = Site::open(Config { sign_up: SignUp::Open, ..with_mail(&smtp) }).await;
    site.administrator().await;
    let _sending = sending(&site.accounts);
    let browser = site.browser();
    let wish = json!({ "email": "new@example.org" });
    let mut keys = Vec::new();
    for _ in 0..3 {
        browser.ask("POST", "/api/v1/sign-ups", &wish).await.is(202);
        keys.push(key(&next(&smtp).await, "?invitation="));
    }
    browser.ask("POST", "/api/v1/sign-ups", &wish).await.is_problem(429, "too_many_attempts");
    let new = json!({ "name": "N", "email": "new@example.org", "password": PASSWORD, "key": keys[0] });
    browser.ask("POST", "/api/v1/users", &new).await.is_problem(403, "wrong_key");
    site.browser().sign_up("new@example.org", Some(&keys[2])).await;
}

#[tokio::test]
async fn a_new_address_is_an_accounts_once_its_mail_was_read_and_the_answer_tells_nothing_of_others() {
    let smtp = std::sync::Arc::new(Smtp::start());
    let site = Site::open(with_mail(&smtp)).await;
    let admin = site.administrator().await;
    let mut bob = site.browser();
    bob.sign_up("bob@example.org", None).await;
    let _sending = sending(&site.accounts);
    let change = async |email: &str| {
        bob.ask("PATCH", "/api/v1/account", &json!({ "email": email, "current_password": PASSWORD })).await
    };
    let address = async || bob.get("/api/v1/account").await.json()["email"].clone();
    let prove =
        async |key: &str| site.browser().ask("PUT", "/api/v1/account/email", &json!({ "key": key })).await;
    // Another spelling is the same mailbox.
    assert_eq!(change("Bob@example.org").await.json()["email"], "Bob@example.org");

    let taken = change(ADMIN).await;
    taken.is(202);
    assert!(next(&smtp).await.contains("has one already"));
    let free = change("Rob@example.org").await;
    free.is(202);
    let words = |answer: &Answer| answer.json()["email"].clone();
    assert_eq!((words(&taken), words(&free)), (json!("Bob@example.org"), json!("Bob@example.org")));
    assert_eq!(address().await, "Bob@example.org");
    let first = key(&next(&smtp).await, "https://videos.example.org/new-address?key=");
    // It makes no account.
    let new = json!({ "name": "R", "email": "rob@example.org", "password": PASSWORD, "key": first });
    site.browser().ask("POST", "/api/v1/users", &new).await.is_problem(403, "wrong_key");
    // A link to the address before must not open the account after the change.
    site.browser().ask("POST", RESETS, &json!({ "email": "bob@example.org" })).await.is(202);
    let reset = key(&next(&smtp).await, "/forgotten?key=");
    prove(&first).await.is(204);
    assert_eq!(address().await, "Rob@example.org");
    prove(&first).await.is_problem(403, "wrong_key");
    set(&site, &reset, NEW).await.is_problem(403, "wrong_key");
    site.browser().sign_in("rob@example.org", PASSWORD).await.is(200);
    site.browser().sign_in("bob@example.org", PASSWORD).await.is_problem(401, "wrong_credentials");

    // The address went to somebody else before the mail was read.
    change("late@example.org").await.is(202);
    let late = key(&next(&smtp).await, "/new-address?key=");
    site.browser().sign_up("late@example.org", None).await;
    prove(&late).await.is_problem(403, "wrong_key");
    assert_eq!(address().await, "Rob@example.org");
    for wrong in ["", "short", &"0".repeat(64)] {
        prove(wrong).await.is_problem(403, "wrong_key");
    }
    drop(admin);
}

#[tokio::test]
async fn mail_waits_for_a_server_that_is_down() {
    let smtp = std::sync::Arc::new(Smtp::start());
    let site = Site::open(with_mail(&smtp)).await;
    site.administrator().await;
    smtp.server().kill();
    ask(&site, ADMIN).await.is(202);
    let _sending = sending(&site.accounts);
    smtp.server().start();
    assert!(next(&smtp).await.contains("/forgotten?key="));
}

#[tokio::test]
async fn without_a_server_for_mail_the_answer_names_the_administrator() {
    let site = Site::open(config()).await;
    site.administrator().await;
    ask(&site, ADMIN).await.is_problem(422, "no_mail");
    assert_eq!(site.browser().get("/api/v1/session").await.json()["mail"], false);
    set(&site, "x", NEW).await.is_problem(403, "wrong_key");
}
