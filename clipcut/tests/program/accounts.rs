//! Accounts of a running server: the first link, the command line beside it, and what strangers may not do.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use reqwest::StatusCode;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret};

use crate::harness::{Answer, Clip, Finished, Http, Server, clipcut, finish};

const ON: (&str, &str) = ("CLIPCUT_ACCOUNTS", "on");
const PASSWORD: &str = "correct horse battery";

/// Runs a command with a line on its standard input.
fn with_input(command: &mut Command, line: &str) -> Finished {
    let piped = || Stdio::piped();
    let mut child = command.stdin(piped()).stdout(piped()).stderr(piped()).spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{line}").unwrap();
    let output = child.wait_with_output().unwrap();
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn user(data: &Path, args: &[&str]) -> Finished {
    let mut command = clipcut(data.parent().unwrap());
    command.arg("user").args(args).env("CLIPCUT_DATA", data);
    with_input(&mut command, PASSWORD)
}

async fn sign_in(http: &Http, email: &str) -> Answer {
    let document = json!({ "email": email, "password": PASSWORD });
    http.ask(http.request("POST", "/api/v1/session").json(&document)).await
}

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn people_are_added_on_the_command_line_while_the_server_runs() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[ON]);
    let data = server.data.as_path();
    let added = user(data, &["add", "--admin", "--name", "Anna", "anna@example.org"]);
    assert_eq!((added.code, added.stderr.as_str()), (Some(0), ""), "{added:?}");
    let again = user(data, &["add", "--name", "Anna", "ANNA@example.org"]);
    assert_eq!(again.code, Some(1), "{again:?}");
    user(data, &["add", "--name", "Bert", "bert@example.org"]);
    let listed = user(data, &["list"]).stdout;
    assert_eq!(listed, "anna@example.org\tAnna\tadministrator\t\nbert@example.org\tBert\tuser\t\n");
    let answer = sign_in(&server.http, "bert@example.org").await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let cookie = cookie(&answer);
    let account = async || {
        let request = server.http.request("GET", "/api/v1/account").header("Cookie", &cookie);
        server.http.ask(request).await
    };
    assert_eq!(account().await.json()["email"], "bert@example.org");
    assert_eq!(user(data, &["disable", "bert@example.org"]).code, Some(0));
    assert_eq!(account().await.problem(), "sign_in_required");
    assert_eq!(sign_in(&server.http, "bert@example.org").await.problem(), "wrong_credentials");
    assert_eq!(user(data, &["enable", "bert@example.org"]).code, Some(0));
    assert_eq!(sign_in(&server.http, "bert@example.org").await.status, StatusCode::OK);
    let last = user(data, &["remove", "--delete-videos", "anna@example.org"]);
    assert!(last.stderr.contains("last administrator"), "{last:?}");
    assert_eq!(user(data, &["remove", "--videos-to", "anna@example.org", "bert@example.org"]).code, Some(0));
    assert_eq!(sign_in(&server.http, "bert@example.org").await.problem(), "wrong_credentials");
}

#[tokio::test]
async fn strangers_watch_and_change_nothing_and_a_token_uploads() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[ON]);
    let http = &server.http;
    for (method, path) in [
        ("POST", "/api/v1/videos"),
        ("POST", "/api/v1/uploads"),
        ("DELETE", "/api/v1/videos/0123456789abcdef"),
        ("PATCH", "/api/v1/uploads/0123456789abcdef"),
        ("GET", "/api/v1/users"),
    ] {
        let answer = http.ask(http.tus(method, path).body("bytes")).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (401, "sign_in_required"), "{path}");
    }
    assert_eq!(http.get("/api/v1/videos").await.status, StatusCode::OK);
    let session = http.get("/api/v1/session").await.json();
    assert_eq!((&session["accounts"], &session["first_account"]), (&json!("on"), &json!(true)));

    let new = json!({ "name": "Anna", "email": "anna@example.org", "password": PASSWORD });
    let made = http.ask(http.request("POST", "/api/v1/users").json(&new)).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let wanted = json!({ "name": "curl", "scopes": ["upload"] });
    let request =
        http.request("POST", "/api/v1/account/tokens").header("Cookie", cookie(&made)).json(&wanted);
    let token = http.ask(request).await.json()["token"].as_str().unwrap().to_owned();
    let upload = http.tus("POST", "/api/v1/uploads").bearer_auth(&token).header("Upload-Length", 5);
    let begun = http.ask(upload).await;
    assert_eq!(begun.status, StatusCode::CREATED, "{begun:?}");
    let id = begun.header("location").rsplit('/').next().unwrap().to_owned();
    let request = http.request("DELETE", &format!("/api/v1/videos/{id}")).bearer_auth(&token);
    assert_eq!(http.ask(request).await.problem(), "insufficient_scope");
    let request = http.request("DELETE", &format!("/api/v1/videos/{id}")).header("Cookie", cookie(&made));
    assert_eq!(http.ask(request).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_login_keeps_a_token_that_only_its_person_reads_and_uploads_with_it() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[ON, ("CLIPCUT_CAPTIONS", "off")]);
    user(&server.data, &["add", "--name", "Bert", "bert@example.org"]);
    let command = |args: &[&str]| {
        let mut command = clipcut(home.path());
        command.args(args).args(["--server", &server.url]).env("XDG_CONFIG_HOME", home.path().join("config"));
        command
    };
    let clip = Clip::Short.file().to_str().unwrap();
    let refused = finish(&mut command(&["upload", clip]));
    assert!(refused.stderr.contains("Sign in first"), "{refused:?}");
    let wrong = with_input(&mut command(&["login", "bert@example.org"]), "a wrong password");
    assert!(wrong.stderr.contains("The address or the password is wrong"), "{wrong:?}");
    let login = with_input(&mut command(&["login", "bert@example.org"]), PASSWORD);
    assert_eq!(login.code, Some(0), "{login:?}");
    let kept = fs::read_dir(home.path().join("config/clipcut/tokens")).unwrap();
    let modes: Vec<u32> =
        kept.map(|file| file.unwrap().metadata().unwrap().permissions().mode() & 0o777).collect();
    assert_eq!(modes, [0o600]);
    let uploaded = finish(&mut command(&["upload", clip]));
    assert_eq!(uploaded.code, Some(0), "{uploaded:?}");
    let list = server.http.get("/api/v1/videos").await.json();
    let video = &list["videos"][0];
    assert_eq!((&video["owner"]["name"], &video["may_edit"]), (&json!("Bert"), &json!(false)));
}

#[tokio::test]
async fn a_second_factor_is_asked_for_by_the_login_and_reset_on_the_command_line() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[ON]);
    let (http, data) = (&server.http, server.data.as_path());
    user(data, &["add", "--name", "Bert", "bert@example.org"]);
    let signed_in = cookie(&sign_in(http, "bert@example.org").await);
    let ask = async |method: &str, document: Value| {
        let request = http.request(method, "/api/v1/account/second-factor").header("Cookie", &signed_in);
        http.ask(request.json(&document)).await
    };
    let begun = ask("POST", json!({ "current_password": PASSWORD })).await.json();
    let secret = Secret::try_from_base32(begun["secret"].as_str().unwrap()).unwrap();
    let app = Builder::new().with_secret(secret).build().unwrap();
    let on = ask("PUT", json!({ "code": app.generate_current().to_string() })).await.json();
    let recovery_code = on["recovery_codes"][0].as_str().unwrap();

    let login = |input: &str| {
        let mut command = clipcut(home.path());
        command.args(["login", "bert@example.org", "--server", &server.url]);
        with_input(command.env("XDG_CONFIG_HOME", home.path().join("config")), input)
    };
    let wrong = login(&format!("{PASSWORD}\nabcdef"));
    assert!(wrong.stderr.contains("The code is wrong"), "{wrong:?}");
    let right = login(&format!("{PASSWORD}\n{recovery_code}"));
    assert_eq!(right.code, Some(0), "{right:?}");
    assert_eq!(sign_in(http, "bert@example.org").await.problem(), "second_factor_required");
    let reset = user(data, &["reset-second-factor", "bert@example.org"]);
    assert_eq!(reset.stdout, "bert@example.org signs in without a second factor\n", "{reset:?}");
    assert_eq!(sign_in(http, "bert@example.org").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_server_that_others_reach_prints_the_link_of_the_first_account() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut command = clipcut(home.path());
    command.args(["serve", "--listen", "0.0.0.0:0", "--data"]).arg(&data).envs([ON]);
    let server = Server::start_as(&mut command, &data);
    let link = server.program.wait_for_log("/?first=");
    let key = link.split("/?first=").nth(1).unwrap().trim();
    let http = Http::new(&server.url.replace("0.0.0.0", "127.0.0.1"));
    let mut new = json!({ "name": "Anna", "email": "anna@example.org", "password": PASSWORD });
    let refused = http.ask(http.request("POST", "/api/v1/users").json(&new)).await;
    assert_eq!(refused.problem(), "wrong_key");
    new["key"] = json!(key);
    let made = http.ask(http.request("POST", "/api/v1/users").json(&new)).await;
    assert_eq!(made.json()["user"]["role"], "administrator", "{made:?}");
}

#[tokio::test]
async fn a_server_without_accounts_listens_on_this_machine_alone() {
    let home = tempfile::tempdir().unwrap();
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let finished = finish(clipcut(home.path()).args(["serve", "--listen", listen]));
        assert_eq!(finished.code, Some(1), "{finished:?}");
        assert!(finished.stderr.contains("leave accounts on, or listen on 127.0.0.1"), "{finished:?}");
    }
    assert!(!home.path().join("data").exists(), "it is refused before the library is made");
}

#[tokio::test]
async fn a_site_that_is_open_to_all_needs_a_way_to_prove_addresses() {
    let home = tempfile::tempdir().unwrap();
    let open = [ON, ("CLIPCUT_SIGN_UP", "open")];
    let finished = finish(clipcut(home.path()).args(["serve", "--listen", "127.0.0.1:0"]).envs(open));
    assert_eq!(finished.code, Some(1), "{finished:?}");
    assert!(finished.stderr.contains("sign_up = \"open\" needs smtp_url"), "{finished:?}");
    assert!(finished.stderr.contains("sign_up = \"invitation\""), "{finished:?}");
}

#[tokio::test]
async fn an_upload_without_a_token_names_the_command_that_gets_one() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[ON]);
    let upload = ["upload", "--server", &server.url];
    let finished = finish(clipcut(home.path()).args(upload).arg(Clip::Short.file()));
    assert_eq!(finished.code, Some(1), "{finished:?}");
    let command = format!("clipcut login E-MAIL --server {}", server.url);
    assert!(finished.stderr.contains(&command), "{finished:?}");
}

#[tokio::test]
async fn without_accounts_all_is_as_before() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let session = server.http.get("/api/v1/session").await.json();
    assert_eq!((&session["accounts"], &session["user"]), (&json!("off"), &Value::Null));
    assert_eq!(server.http.get("/api/v1/account").await.problem(), "unknown_path");
    server.http.create_upload(5).await;
}
