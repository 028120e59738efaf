//! A person's own account: edited, closed and deleted; and administrators over the others.

use std::time::Duration;

use accounts::{Config, SignUp};
use serde_json::{Value, json};
use store::{NewVideo, Timestamp};

use crate::harness::{PASSWORD, Site, config};

async fn open() -> Site {
    Site::open(Config { sign_up: SignUp::Open, attempts_of_account: 100, ..config() }).await
}

#[tokio::test]
async fn what_opens_an_account_is_changed_with_its_password_alone() {
    let site = open().await;
    let browser = site.administrator().await;
    site.browser().sign_up("b@example.org", None).await;
    let account = browser.ask("PATCH", "/api/v1/account", &json!({ "name": "Anna" })).await;
    account.is(200);
    assert_eq!(account.json()["name"], "Anna");
    let mut edit = json!({ "email": "anna@example.org" });
    browser.ask("PATCH", "/api/v1/account", &edit).await.is_problem(403, "wrong_password");
    edit["current_password"] = json!(PASSWORD);
    browser.ask("PATCH", "/api/v1/account", &edit).await.is(200);
    edit["email"] = json!("B@example.org");
    browser.ask("PATCH", "/api/v1/account", &edit).await.is_problem(422, "invalid_email");
    let account = browser.get("/api/v1/account").await.json();
    assert_eq!((&account["email"], &account["disabled"]), (&json!("anna@example.org"), &json!(false)));
    site.browser().sign_in("admin@example.org", PASSWORD).await.is(401);
    site.browser().sign_in("anna@example.org", PASSWORD).await.is(200);
}

#[tokio::test]
async fn an_edit_of_what_somebody_else_has_changed_is_412_with_the_tag_of_now() {
    let site = open().await;
    let mut admin = site.administrator().await;
    let hook = json!({ "url": "https://example.org/hook", "events": ["video.ready"] });
    let hook = admin.ask("POST", "/api/v1/webhooks", &hook).await.json();
    let mut browser = site.browser();
    let user = browser.sign_up("b@example.org", None).await;
    for (path, document) in [
        ("/api/v1/account".to_owned(), json!({ "name": "Anna" })),
        (format!("/api/v1/users/{}", user["id"].as_str().unwrap()), json!({ "quota_minutes": 5 })),
        (format!("/api/v1/webhooks/{}", hook["id"].as_str().unwrap()), json!({ "active": false })),
    ] {
        admin.set("if-match", "\"0\"");
        let edited = admin.ask("PATCH", &path, &document).await;
        edited.is(200);
        assert_eq!((edited.header("etag"), &edited.json()["revision"]), ("\"1\"", &json!(1)), "{path}");
        let refused = admin.ask("PATCH", &path, &document).await;
        refused.is_problem(412, "edited_meanwhile");
        assert_eq!(refused.header("etag"), "\"1\"", "{path}");
        // A list of tags, and whatever is there.
        for right in ["\"7\", \"1\"", "*"] {
            admin.set("if-match", right);
            admin.ask("PATCH", &path, &document).await.is(200);
        }
    }
    assert_eq!(admin.get("/api/v1/account").await.header("etag"), "\"3\"");
}

#[tokio::test]
async fn a_list_above_a_kilobyte_goes_out_in_gzip() {
    let site = open().await;
    let mut admin = site.administrator().await;
    for at in 0..5 {
        site.browser().sign_up(&format!("person-{at}@example.org"), None).await;
    }
    admin.set("accept-encoding", "gzip, deflate, br");
    let people = admin.get("/api/v1/users").await;
    people.is(200);
    assert_eq!((people.header("content-encoding"), people.header("vary")), ("gzip", "accept-encoding"));
    assert_eq!(admin.get("/api/v1/session").await.header("content-encoding"), "", "a small one");
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions() {
    let site = open().await;
    let browser = site.administrator().await;
    let mut other = site.browser();
    other.sign_in("admin@example.org", PASSWORD).await.is(200);
    let set = |current: &str, new: &str| json!({ "current_password": current, "new_password": new });
    let path = "/api/v1/account/password";
    browser.ask("PUT", path, &set("wrong", "another password")).await.is_problem(403, "wrong_password");
    browser.ask("PUT", path, &set(PASSWORD, "password1")).await.is_problem(422, "password_too_common");
    other.get("/api/v1/account").await.is(200);
    browser.ask("PUT", path, &set(PASSWORD, "another password")).await.is(204);
    other.get("/api/v1/account").await.is_problem(401, "sign_in_required");
    browser.get("/api/v1/account").await.is(200);
    site.browser().sign_in("admin@example.org", PASSWORD).await.is(401);
    site.browser().sign_in("admin@example.org", "another password").await.is(200);
}

#[tokio::test]
async fn a_deleted_account_takes_its_videos_along_and_frees_its_address() {
    let site = open().await;
    let admin = site.administrator().await;
    let mut browser = site.browser();
    let user = browser.sign_up("b@example.org", None).await;
    let video = NewVideo {
        title: "Theirs".to_owned(),
        description: String::new(),
        source_name: String::new(),
        owner: Some(store::UserId::from(user["id"].as_str().unwrap().to_owned())),
    };
    let expires = Timestamp::now() + Duration::from_hours(1);
    let theirs = site.store.uploads.begin(&video, None, expires).await.unwrap().id;
    let others =
        site.store.uploads.begin(&NewVideo { owner: None, ..video }, None, expires).await.unwrap().id;
    let deletion = |password: &str| json!({ "current_password": password, "videos": "delete" });
    browser.ask("DELETE", "/api/v1/account", &deletion("wrong")).await.is_problem(403, "wrong_password");
    assert!(site.store.videos.get(&theirs).await.unwrap().is_some());
    browser.ask("DELETE", "/api/v1/account", &deletion(PASSWORD)).await.is(204);
    assert!(site.store.videos.get(&theirs).await.unwrap().is_none());
    assert!(site.store.videos.get(&others).await.unwrap().is_some());
    browser.get("/api/v1/account").await.is_problem(401, "sign_in_required");
    assert_eq!(admin.get("/api/v1/users").await.json()["users"].as_array().unwrap().len(), 1);
    site.browser().sign_up("b@example.org", None).await;
    admin.ask("DELETE", "/api/v1/account", &deletion(PASSWORD)).await.is_problem(422, "last_administrator");
}

#[tokio::test]
async fn a_deleted_account_hands_its_videos_to_another_or_nothing_happens() {
    let site = open().await;
    let admin = site.administrator().await;
    let (mut bob, mut cara) = (site.browser(), site.browser());
    let bobs = bob.sign_up("bob@example.org", None).await["id"].as_str().unwrap().to_owned();
    let caras = cara.sign_up("cara@example.org", None).await["id"].as_str().unwrap().to_owned();
    let video = NewVideo {
        title: "Theirs".to_owned(),
        description: String::new(),
        source_name: String::new(),
        owner: Some(store::UserId::from(bobs.clone())),
    };
    let expires = Timestamp::now() + Duration::from_hours(1);
    let id = site.store.uploads.begin(&video, None, expires).await.unwrap().id;
    let owner = async || site.store.videos.rights(&id).await.unwrap().unwrap().owner.unwrap().to_string();
    let to = |heir: &str| json!({ "current_password": PASSWORD, "videos": { "to": heir } });
    // Neither oneself nor nobody gets them, and then the account stays.
    for heir in ["0123456789abcdef", "", &bobs, "cara@example.org"] {
        bob.ask("DELETE", "/api/v1/account", &to(heir)).await.is_problem(422, "unknown_heir");
    }
    for wrong in
        [json!({ "current_password": PASSWORD }), json!({ "current_password": PASSWORD, "videos": "keep" })]
    {
        bob.ask("DELETE", "/api/v1/account", &wrong).await.is_problem(400, "invalid_document");
    }
    bob.get("/api/v1/account").await.is(200);
    assert_eq!(owner().await, bobs);
    bob.ask("DELETE", "/api/v1/account", &to(&caras)).await.is(204);
    bob.get("/api/v1/account").await.is_problem(401, "sign_in_required");
    assert_eq!(owner().await, caras);

    let admins = admin.get("/api/v1/account").await.json()["id"].as_str().unwrap().to_owned();
    let path = |id: &str| format!("/api/v1/users/{id}");
    let fate = |videos: Value| json!({ "videos": videos });
    cara.ask("DELETE", &path(&admins), &fate(json!("delete"))).await.is_problem(403, "administrators_only");
    admin.ask("DELETE", &path(&admins), &fate(json!("delete"))).await.is_problem(422, "own_account");
    admin.ask("DELETE", &path(&bobs), &fate(json!("delete"))).await.is_problem(404, "unknown_user");
    admin.ask("DELETE", &path(&caras), &json!({})).await.is_problem(400, "invalid_document");
    admin.ask("DELETE", &path(&caras), &fate(json!({ "to": bobs }))).await.is_problem(422, "unknown_heir");
    admin.ask("DELETE", &path(&caras), &fate(json!({ "to": admins }))).await.is(204);
    assert_eq!(owner().await, admins);
    cara.get("/api/v1/account").await.is_problem(401, "sign_in_required");
    cara.sign_in("cara@example.org", PASSWORD).await.is_problem(401, "wrong_credentials");
    let mut dora = site.browser();
    let doras = dora.sign_up("cara@example.org", None).await["id"].as_str().unwrap().to_owned();
    admin.ask("DELETE", &path(&doras), &fate(json!("delete"))).await.is(204);
    assert!(site.store.videos.get(&id).await.unwrap().is_some());
}

#[tokio::test]
async fn administrators_disable_promote_and_never_lock_the_site() {
    let site = open().await;
    let admin = site.administrator().await;
    let mut browser = site.browser();
    let user = browser.sign_up("b@example.org", None).await;
    let list = admin.get("/api/v1/users").await.json();
    let path = |user: &Value| format!("/api/v1/users/{}", user["id"].as_str().unwrap());
    let (own, theirs) = (path(&list["users"][0]), path(&user));
    browser.get("/api/v1/users").await.is_problem(403, "administrators_only");
    browser
        .ask("PATCH", &theirs, &json!({ "role": "administrator" }))
        .await
        .is_problem(403, "administrators_only");
    admin.ask("PATCH", &own, &json!({ "disabled": true })).await.is_problem(422, "last_administrator");
    admin.ask("PATCH", &own, &json!({ "role": "user" })).await.is_problem(422, "last_administrator");
    admin.ask("PATCH", &theirs, &json!({ "disabled": true })).await.is(200);
    browser.get("/api/v1/account").await.is_problem(401, "sign_in_required");
    admin.ask("PATCH", &theirs, &json!({ "disabled": false, "role": "administrator" })).await.is(200);
    browser.sign_in("b@example.org", PASSWORD).await.is(200);
    browser.ask("PATCH", &own, &json!({ "disabled": true })).await.is(200);
    admin.get("/api/v1/account").await.is_problem(401, "sign_in_required");
    browser.ask("PATCH", "/api/v1/users/nobody", &json!({})).await.is_problem(404, "unknown_user");
}
