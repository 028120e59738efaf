//! Signing up: the first account, links, open sites, and words that are refused.

use accounts::{Config, Reach, SignUp};
use serde_json::{Value, json};

use crate::harness::{PASSWORD, Site, config};

fn person(email: &str, key: Option<&str>) -> Value {
    json!({ "name": "Anna", "email": email, "password": PASSWORD, "key": key })
}

#[tokio::test]
async fn the_first_account_is_the_administrators_and_a_closed_site_takes_no_second() {
    let site = Site::open(config()).await;
    let mut browser = site.browser();
    let before = browser.get("/api/v1/session").await.json();
    assert_eq!(
        before,
        json!({ "accounts": "on", "first_account": true, "sign_up": "closed", "mail": false, "openid": false, "user": null })
    );
    let user = browser.sign_up("Anna@Example.org", None).await;
    assert_eq!(
        (user["email"].as_str(), user["role"].as_str()),
        (Some("Anna@Example.org"), Some("administrator"))
    );
    let after = browser.get("/api/v1/session").await.json();
    assert_eq!((&after["first_account"], &after["user"]), (&json!(false), &user));
    let second = site.browser().ask("POST", "/api/v1/users", &person("b@example.org", None)).await;
    second.is_problem(403, "sign_up_closed");
}

#[tokio::test]
async fn where_strangers_reach_the_listener_the_first_account_needs_the_link_of_the_terminal() {
    let site = Site::open(Config { reach: Reach::Network, ..config() }).await;
    let link = site.accounts.first_link().await.unwrap().unwrap();
    // The link of an earlier start is void.
    let key = site.accounts.first_link().await.unwrap().unwrap().replace("/?first=", "");
    let old = link.replace("/?first=", "");
    let browser = site.browser();
    for wrong in [None, Some(old.as_str()), Some("short"), Some(&"0".repeat(64)[..])] {
        let answer = browser.ask("POST", "/api/v1/users", &person("a@example.org", wrong)).await;
        answer.is_problem(403, "wrong_key");
    }
    let user = site.browser().sign_up("a@example.org", Some(&key)).await;
    assert_eq!(user["role"], "administrator");
    assert_eq!(site.accounts.first_link().await.unwrap(), None);
}

#[tokio::test]
async fn of_two_first_accounts_at_once_one_is_made() {
    let site = Site::open(config()).await;
    let (a, b) = (site.browser(), site.browser());
    let (one, two) = (person("a@example.org", None), person("b@example.org", None));
    let (one, two) = tokio::join!(a.ask("POST", "/api/v1/users", &one), b.ask("POST", "/api/v1/users", &two));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 403]);
    assert_eq!(site.store.accounts.users.list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_invitation_is_for_one_person_and_for_its_address_alone() {
    let site = Site::open(Config { sign_up: SignUp::Invitation, ..config() }).await;
    let admin = site.administrator().await;
    let invite = async |email: Option<&str>| {
        let made = admin.ask("POST", "/api/v1/invitations", &json!({ "email": email })).await;
        made.is(201);
        let made = made.json();
        (made["id"].clone(), made["link"].as_str().unwrap().replace("/?invitation=", ""))
    };
    let (_, key) = invite(Some("Anna@example.org")).await;
    let browser = site.browser();
    browser.ask("POST", "/api/v1/users", &person("b@example.org", None)).await.is_problem(403, "wrong_key");
    browser
        .ask("POST", "/api/v1/users", &person("b@example.org", Some(&key)))
        .await
        .is_problem(403, "wrong_key");
    let user = site.browser().sign_up("anna@example.org", Some(&key)).await;
    assert_eq!(user["role"], "user");
    browser
        .ask("POST", "/api/v1/users", &person("c@example.org", Some(&key)))
        .await
        .is_problem(403, "wrong_key");

    let (id, key) = invite(None).await;
    let listed = admin.get("/api/v1/invitations").await.json();
    assert_eq!((listed["invitations"].as_array().unwrap().len(), &listed["invitations"][0]["id"]), (1, &id));
    assert!(!listed.to_string().contains(&key));
    admin.ask("DELETE", &format!("/api/v1/invitations/{}", id.as_str().unwrap()), &Value::Null).await.is(204);
    browser
        .ask("POST", "/api/v1/users", &person("d@example.org", Some(&key)))
        .await
        .is_problem(403, "wrong_key");
}

#[tokio::test]
async fn words_that_will_not_do_are_refused_and_an_address_has_one_account() {
    let site = Site::open(Config { sign_up: SignUp::Invitation, ..config() }).await;
    let admin = site.administrator().await;
    let link = async || {
        let made = admin.ask("POST", "/api/v1/invitations", &json!({})).await.json();
        made["link"].as_str().unwrap().replace("/?invitation=", "")
    };
    let browser = site.browser();
    let check = async |key: &str, change: Value, (status, code): (u16, &str)| {
        let mut new = person("anna@example.org", Some(key));
        for (member, value) in change.as_object().unwrap() {
            new[member] = value.clone();
        }
        browser.ask("POST", "/api/v1/users", &new).await.is_problem(status, code);
    };
    let key = link().await;
    check(&key, json!({ "password": "short" }), (422, "password_too_short")).await;
    check(&key, json!({ "password": "x".repeat(129) }), (422, "password_too_long")).await;
    check(&key, json!({ "password": "Password1" }), (422, "password_too_common")).await;
    check(&key, json!({ "password": "x".repeat(1_000_000) }), (400, "body_too_large")).await;
    check(&key, json!({ "email": "anna" }), (422, "invalid_email")).await;
    check(&key, json!({ "name": " " }), (422, "invalid_name")).await;
    check(&key, json!({ "admin": true }), (400, "invalid_document")).await;
    let user = site.browser().sign_up("anna@example.org", Some(&key)).await;
    assert_eq!(user["role"], "user");
    site.browser().sign_up("anna+films@example.org", Some(&link().await)).await;
    for taken in ["ANNA@example.org", "\u{ff41}nna@example.org"] {
        let key = link().await;
        // The answer is that of a link that counts no more, and it counts no more: nobody goes through addresses by one.
        check(&key, json!({ "email": taken }), (403, "wrong_key")).await;
        check(&key, json!({ "email": "free@example.org" }), (403, "wrong_key")).await;
    }
}

#[tokio::test]
async fn an_open_site_without_mail_makes_accounts_by_links_alone() {
    let site = Site::open(Config { sign_up: SignUp::Open, ..config() }).await;
    site.administrator().await;
    let browser = site.browser();
    for email in ["admin@example.org", "new@example.org"] {
        browser.ask("POST", "/api/v1/users", &person(email, None)).await.is_problem(403, "wrong_key");
        browser.ask("POST", "/api/v1/sign-ups", &json!({ "email": email })).await.is_problem(422, "no_mail");
    }
}
