//! `clipcut edge` in front of `clipcut serve`: one fetch for each object, purges, and memory.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
};

use reqwest::StatusCode;

use crate::harness::{Answer, Clip, DEMO_MODEL, Http, Program, Server, clipcut, free_address, until};

const MIB: u64 = 1024 * 1024;

/// Starts an edge and returns it with a client of it.
fn edge(home: &Path, origin: &str, settings: &[(&str, &str)]) -> (Program, Http) {
    let mut command: Command = clipcut(home);
    command
        .args(["edge", "--origin", origin])
        .env("CLIPCUT_LISTEN", "127.0.0.1:0")
        .envs(settings.iter().copied());
    let program = Program::start(&mut command);
    let line = program.wait_for_log("serving http://");
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
    (program, Http::new(&url))
}

fn is_hit(answer: &Answer) -> bool {
    answer.header("cache-status").starts_with("clipcut-edge; hit")
}

#[tokio::test]
async fn an_edge_fetches_once_and_forgets_a_deleted_video_as_the_server_does() {
    let home = tempfile::tempdir().unwrap();
    let secret = home.path().join("secret");
    fs::write(&secret, "only the tests of the program know this").unwrap();
    let secret = secret.to_str().unwrap();
    let address = free_address();
    let announcing = &[("CLIPCUT_EDGES", address.as_str()), ("CLIPCUT_EDGE_SECRET", secret)];
    let server = Server::start(&home.path().join("data"), announcing);
    let settings = &[("CLIPCUT_LISTEN", address.as_str()), ("CLIPCUT_EDGE_SECRET", secret)];
    let (_program, through) = edge(home.path(), &server.url, settings);
    let id = server.upload(Clip::Short.file()).await;
    server.ready(&id).await;

    for file in ["240p/init.mp4", "240p/0.m4s"] {
        let path = format!("/v/{id}/{file}");
        let first = through.get(&path).await;
        assert_eq!(first.status, StatusCode::OK, "{first:?}");
        // A request before the last byte is stored joins the same fetch, on any thread.
        let second = until("a hit", async || Some(through.get(&path).await).filter(is_hit)).await;
        assert!(first.body == second.body, "{path}: {:?}", second.headers);
        // The server has an edge of its own in front of it, where its own host is another key.
        until("a hit", async || is_hit(&server.http.get(&path).await).then_some(())).await;
    }
    let segment = format!("/v/{id}/240p/0.m4s");
    let part = through.ask(through.request("GET", &segment).header("range", "bytes=0-9")).await;
    assert_eq!((part.status, part.body.len()), (StatusCode::PARTIAL_CONTENT, 10));

    let deleted = through.ask(through.request("DELETE", &format!("/api/v1/videos/{id}"))).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT, "{deleted:?}");
    for http in [&server.http, &through] {
        until("it to be forgotten", async || {
            (http.get(&segment).await.status == StatusCode::NOT_FOUND).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn an_origin_that_starts_has_edges_ask_whether_what_they_keep_is_still_so() {
    let home = tempfile::tempdir().unwrap();
    let secret = home.path().join("secret");
    fs::write(&secret, "only the tests of the program know this").unwrap();
    let secret = ("CLIPCUT_EDGE_SECRET", secret.to_str().unwrap());
    let server = Server::start(&home.path().join("data"), &[]);
    let address = free_address();
    let (_program, through) = edge(home.path(), &server.url, &[("CLIPCUT_LISTEN", address.as_str()), secret]);
    let id = server.upload(Clip::Short.file()).await;
    server.ready(&id).await;
    let segment = format!("/v/{id}/240p/0.m4s");
    until("a hit", async || Some(through.get(&segment).await).filter(is_hit)).await;
    let announcing = [("CLIPCUT_EDGES", address.as_str()), secret];
    let _another = Server::start(&home.path().join("another"), &announcing);
    until("it to ask", async || {
        let answer = through.get(&segment).await;
        answer.header("cache-status").contains("fwd=stale; fwd-status=304").then_some(())
    })
    .await;
}

#[tokio::test]
async fn transcriptions_pass_through_an_edge() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &DEMO_MODEL);
    let (_program, through) = edge(home.path(), &server.url, &[]);
    let sound = include_bytes!("../../../transcriber/tests/golden/voice-7.flac");
    let ask = async |http: &Http, language: &str| {
        let texts = [("language", language), ("response_format", "verbose_json")];
        let (kind, form) = form(&texts, sound);
        let request = http.request("POST", "/v1/audio/transcriptions");
        http.ask(request.header("content-type", kind).body(form)).await
    };
    let (direct, proxied) = (ask(&server.http, "en").await, ask(&through, "en").await);
    assert_eq!(proxied.status, StatusCode::OK, "{proxied:?}");
    assert!(proxied.json()["text"].as_str().unwrap().split_whitespace().count() > 3, "{proxied:?}");
    assert!(proxied.body == direct.body, "{proxied:?} {direct:?}");
    let refused = ask(&through, "klingon").await;
    let error = &refused.json()["error"];
    assert_eq!((refused.status, &error["param"]), (StatusCode::BAD_REQUEST, &"language".into()));
    assert!(error["message"].as_str().unwrap().contains("de, el, en"), "{error}");
    for _ in 0..2 {
        let models = through.get("/v1/models").await;
        assert_eq!(models.json()["data"][0]["id"], "demo");
        assert!(!is_hit(&models), "{models:?}");
    }
}

/// Returns a form as OpenAI's clients send it, behind its content type.
fn form(texts: &[(&str, &str)], sound: &[u8]) -> (&'static str, Vec<u8>) {
    let mut form = String::new();
    for (name, text) in texts {
        form += &format!("--part\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n");
    }
    form += "--part\r\ncontent-disposition: form-data; name=\"file\"; filename=\"voice.flac\"\r\n\r\n";
    ("multipart/form-data; boundary=part", [form.as_bytes(), sound, b"\r\n--part--\r\n"].concat())
}

#[tokio::test]
async fn an_edge_asks_its_origin_over_tls_and_trusts_only_the_certificates_that_the_machine_trusts() {
    let home = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (home.path().join("tls.crt"), home.path().join("tls.key"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let (certificate, key) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let settings = [("CLIPCUT_TLS_CERT", certificate), ("CLIPCUT_TLS_KEY", key)];
    let server = Program::start(&mut Server::command(&home.path().join("data"), &settings));
    let line = server.wait_for_log("serving https://127.0.0.1:");
    let origin = format!("https://localhost:{}", line.trim_end().rsplit(':').next().unwrap());

    let (_trusting, http) = edge(home.path(), &origin, &[("SSL_CERT_FILE", certificate)]);
    let answer = http.get("/api/v1/videos").await;
    assert_eq!((answer.status, answer.text().as_str()), (StatusCode::OK, "{\"videos\":[],\"next\":null}"));
    let (_doubting, http) = edge(home.path(), &origin, &[]);
    let answer = http.get("/api/v1/videos").await;
    assert_eq!((answer.status, answer.problem().as_str()), (StatusCode::BAD_GATEWAY, "origin_unreachable"));
}

#[tokio::test]
async fn an_edge_that_is_stopping_fails_readiness_while_it_still_takes_requests() {
    let home = tempfile::tempdir().unwrap();
    let (mut program, http) = edge(home.path(), &sized_origin(), &[("CLIPCUT_SHUTDOWN_DELAY", "5s")]);
    assert_eq!(http.get("/readyz").await.status, StatusCode::OK);
    program.terminate();
    until("readiness to fail", async || {
        (http.get("/readyz").await.status == StatusCode::SERVICE_UNAVAILABLE).then_some(())
    })
    .await;
    // A new client, on a connection of its own.
    let newcomer = Http::new(&http.url("")).get("/a/1000").await;
    assert_eq!((newcomer.status, newcomer.body.len()), (StatusCode::OK, 1000));
    program.wait_for_log("draining");
    assert_eq!(program.wait().code(), Some(0), "{}", program.log());
}

/// Answers `/{anything}/{length}` with that many bytes, for as long as the test runs.
fn sized_origin() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            std::thread::spawn(move || answer_by_size(&stream));
        }
    });
    url
}

fn answer_by_size(mut stream: &TcpStream) {
    let mut lines = BufReader::new(stream).lines();
    while let Some(Ok(first)) = lines.next() {
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let path = first.split(' ').nth(1).unwrap_or_default();
        let length = path.rsplit('/').next().and_then(|length| length.parse().ok()).unwrap_or(0);
        let head =
            format!("HTTP/1.1 200 OK\r\ncache-control: max-age=9999\r\ncontent-length: {length}\r\n\r\n");
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&vec![7; length])).is_err() {
            return;
        }
    }
}

#[cfg(target_os = "linux")]
fn resident(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_memory_of_an_edge_stays_at_its_cap_under_churn() {
    let home = tempfile::tempdir().unwrap();
    let (program, http) = edge(home.path(), &sized_origin(), &[("CLIPCUT_EDGE_MEMORY", "128MiB")]);
    http.get("/warm/1000").await;
    let idle = resident(program.id());
    let mut most = 0;
    for round in 0..40 {
        // 32 MiB of all sizes, never asked for again.
        for size in [1_000, 50_000, 500_000, 2_000_000, 6_000_000, 25_000_000] {
            let answer = http.get(&format!("/{round}/{size}")).await;
            assert_eq!(answer.body.len(), size);
        }
        most = most.max(resident(program.id()));
    }
    let metrics = program.admin().get("/metrics").await;
    for line in metrics.text().lines().filter(|line| line.starts_with("clipcut_edge_cache")) {
        println!("{line}");
    }
    println!("idle {} MiB, at most {} MiB", idle / MIB, most / MIB);
    assert!(most < 128 * MIB * 115 / 100, "idle {} MiB, at most {} MiB", idle / MIB, most / MIB);
}
