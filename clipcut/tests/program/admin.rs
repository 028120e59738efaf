//! The operators' listener: what it answers, and that the viewers' port answers none of it.

use reqwest::StatusCode;

use crate::harness::{Clip, Http, Program, Server, clipcut, finish, free_address};

#[tokio::test]
async fn metrics_are_for_operators_and_never_on_the_viewers_port() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let admin = server.program.admin();
    let id = server.upload(Clip::Short.file()).await;
    server.ready(&id).await;
    let metrics = admin.get("/metrics").await.text();
    for line in [
        "clipcut_build_info{version=\"",
        "clipcut_edge_cache_bytes ",
        "clipcut_http_requests_total{status=\"2xx\"} ",
        "clipcut_jobs{kind=\"video\",state=\"waiting\"} 0",
        "clipcut_jobs_oldest_waiting_seconds{kind=\"video\"} 0",
        "clipcut_jobs_ended_total{kind=\"video\",outcome=\"done\"} ",
        "clipcut_jobs_busy_seconds_total{kind=\"video\"} ",
        "clipcut_jobs_segments_total{kind=\"video\"} ",
        "clipcut_videos{state=\"ready\",code=\"\"} 1",
        "clipcut_store_blob_seconds_count{operation=\"put\"} ",
        "clipcut_store_statement_seconds_count ",
    ] {
        assert!(metrics.lines().any(|printed| printed.starts_with(line)), "{line} in {metrics}");
    }
    for path in ["/metrics", "/log", "/debug/pprof/profile"] {
        assert_eq!(server.http.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in ["/healthz", "/readyz"] {
        assert_eq!(admin.get(path).await.text(), "ok\n", "{path}");
    }
    assert_eq!(admin.get(&format!("/api/v1/videos/{id}")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_failed_video_is_counted_by_its_code() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let id = server.upload_bytes("notes.mp4", b"no media at all".to_vec()).await;
    let code = server.settled(&id).await["error"]["code"].as_str().unwrap().to_owned();
    let metrics = server.program.admin().get("/metrics").await.text();
    let line = format!("clipcut_videos{{state=\"failed\",code=\"{code}\"}} 1");
    assert!(metrics.lines().any(|printed| printed == line), "{line} in {metrics}");
}

#[tokio::test]
async fn the_logs_filter_changes_while_the_process_runs() {
    let home = tempfile::tempdir().unwrap();
    let server =
        Server::start(&home.path().join("data"), &[("CLIPCUT_LOG", "warn,clipcut=info,server=info")]);
    let admin = server.program.admin();
    let put = async |filter: &'static str| admin.ask(admin.request("PUT", "/log").body(filter)).await.status;
    assert_eq!(put("info,access=debug\n").await, StatusCode::NO_CONTENT);
    assert!(admin.get("/log").await.text().contains("access=debug"));
    server.http.get("/api/v1/the-mark").await;
    server.program.wait_for_log("the-mark");
    for line in server.program.log().lines() {
        assert!(!line.contains(" TRACE "), "no filter has it: {line}");
        assert!(
            !line.contains(" DEBUG ") || line.contains(" DEBUG access:"),
            "none but this was asked for: {line}"
        );
    }
    assert_eq!(put("access=loud").await, StatusCode::BAD_REQUEST);
    assert!(admin.get("/log").await.text().contains("access=debug"));
}

#[tokio::test]
async fn a_log_of_json_is_an_object_a_line() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let server = Program::start(&mut Server::command(&data, &[("CLIPCUT_LOG_FORMAT", "json")]));
    server.wait_for_log("serving http://");
    for line in server.log().lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(event["message"].is_string() && event["level"].is_string(), "{line}");
    }
}

#[tokio::test]
async fn a_profile_has_the_format_of_pprof() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let admin = server.program.admin();
    assert_eq!(admin.get("/debug/pprof/profile?seconds=0").await.status, StatusCode::BAD_REQUEST);
    let profile = admin.get("/debug/pprof/profile?seconds=1").await;
    assert_eq!(profile.status, StatusCode::OK, "{profile:?}");
    // The message's table of strings has the names of its units, sampled or not.
    assert!(profile.body.windows(11).any(|part| part == b"nanoseconds"), "{} bytes", profile.body.len());
}

#[tokio::test]
async fn an_operators_port_in_use_is_refused_with_a_way_out() {
    let home = tempfile::tempdir().unwrap();
    let address = free_address();
    let first = Server::start(&home.path().join("one"), &[("CLIPCUT_ADMIN_LISTEN", &address)]);
    assert_eq!(Http::new(&format!("http://{address}")).get("/healthz").await.status, StatusCode::OK);
    let mut command = clipcut(home.path());
    command.args(["serve", "--listen", "127.0.0.1:0", "--data", "two"]).env("CLIPCUT_ADMIN_LISTEN", &address);
    let second = finish(&mut command);
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(second.stderr.contains(&format!("cannot listen on {address}")), "{second:?}");
    assert!(second.stderr.contains("CLIPCUT_ADMIN_LISTEN"), "{second:?}");
    drop(first);
}
