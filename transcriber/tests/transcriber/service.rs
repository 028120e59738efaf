//! The HTTP service through real sockets, with the demo model and speech whose words are known.

use std::{path::Path, process::Command, time::Duration};

use axum::{Router, http::HeaderMap, routing::get};
use serde_json::Value;
use server::{Limits, Metrics};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use transcriber::service::{Config, Service};

const BOUNDARY: &str = "a-row-that-no-sound-has";

/// A running service.
struct ServiceInner {
    address: String,
    folder: TempDir,
    _shutdown: DropGuard,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
}

fn here(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn sound(name: &str) -> Vec<u8> {
    std::fs::read(here("tests/golden").join(format!("{name}.flac"))).unwrap()
}

/// The words of a sound, by the reference.
fn words(name: &str) -> String {
    let answers: Value =
        serde_json::from_str(&std::fs::read_to_string(here("tests/golden/answers.json")).unwrap()).unwrap();
    let texts = answers[name]["text"].as_array().unwrap();
    texts.iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>().join(" ")
}

impl ServiceInner {
    async fn open(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config { folder: folder.path().to_owned(), ..Config::default() };
        config.engine.model = here("demo");
        config.engine.precision = String::new();
        change(&mut config);
        let shutdown = CancellationToken::new();
        let service = Service::new(config, shutdown.clone()).unwrap();
        let metrics = Metrics::new();
        service.count(&metrics);
        let router = Router::new()
            .merge(service.router())
            .merge(service.health())
            .route("/metrics", get(async move |asked: HeaderMap| metrics.answer(&asked)));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(server::serve(listener, router, Limits::default(), shutdown.clone()));
        Self { address, folder, _shutdown: shutdown.drop_guard() }
    }

    async fn send(&self, request: &[u8]) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(request).await.unwrap();
        stream
    }

    async fn ask(&self, request: &[u8]) -> Answer {
        answer(self.send(request).await).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask(
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).as_bytes(),
        )
        .await
    }

    /// The bytes of a request as OpenAI's clients send it.
    fn form(&self, path: &str, fields: &[(&str, &str)], sound: Option<&[u8]>) -> Vec<u8> {
        let mut body = Vec::new();
        for (name, text) in fields {
            let part = "Content-Disposition: form-data; name=";
            body.extend(format!("--{BOUNDARY}\r\n{part}\"{name}\"\r\n\r\n{text}\r\n").bytes());
        }
        if let Some(sound) = sound {
            let part = "Content-Disposition: form-data; name=\"file\"; filename=\"../speech.flac\"";
            body.extend(format!("--{BOUNDARY}\r\n{part}\r\nContent-Type: audio/flac\r\n\r\n").bytes());
            body.extend(sound);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{BOUNDARY}--\r\n").bytes());
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: multipart/form-data; \
             boundary={BOUNDARY}\r\nContent-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        [head.into_bytes(), body].concat()
    }

    async fn transcribe(&self, fields: &[(&str, &str)], sound: Option<&[u8]>) -> Answer {
        self.ask(&self.form("/v1/audio/transcriptions", fields, sound)).await
    }

    /// Counts the sounds on the disk.
    fn sounds_left(&self) -> usize {
        let own = std::fs::read_dir(self.folder.path()).unwrap().next().unwrap().unwrap().path();
        // One is the lock.
        std::fs::read_dir(own).unwrap().count() - 1
    }

    /// Asks until `name` counts `count`.
    async fn counted(&self, name: &str, count: u64) {
        let line = format!("\nclipcut_transcriber_{name} {count}\n");
        while !self.get("/metrics").await.body.contains(&line) {}
    }
}

async fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_lowercase(), body: body.to_owned() }
}

#[tokio::test]
async fn every_format_has_the_words() {
    let service = ServiceInner::open(|_| ()).await;
    let (sound, words) = (sound("voice-1"), words("voice-1"));
    let answer = service.transcribe(&[("model", "demo")], Some(&sound)).await;
    assert_eq!(
        (answer.status, answer.json()["text"].as_str()),
        (200, Some(words.as_str())),
        "{}",
        answer.body
    );
    let answer =
        service.transcribe(&[("model", "whisper-1"), ("response_format", "text")], Some(&sound)).await;
    assert_eq!(answer.body, format!("{words}\n"));

    let answer = service.transcribe(&[("response_format", "vtt")], Some(&sound)).await;
    assert!(answer.head.contains("content-type: text/vtt"), "{}", answer.head);
    assert!(answer.body.starts_with("WEBVTT\n"), "{}", answer.body);
    let answer = service.transcribe(&[("response_format", "srt")], Some(&sound)).await;
    assert!(answer.body.starts_with("1\n00:00:0"), "{}", answer.body);

    let fields = [
        ("response_format", "verbose_json"),
        ("timestamp_granularities[]", "word"),
        ("timestamp_granularities[]", "segment"),
        ("temperature", "0"),
        ("stream", "false"),
    ];
    let answer = service.transcribe(&fields, Some(&sound)).await.json();
    assert_eq!((answer["task"].as_str(), answer["language"].as_str()), (Some("transcribe"), Some("english")));
    assert_eq!(answer["text"], words);
    assert!((5.5..6.5).contains(&answer["duration"].as_f64().unwrap()), "{answer}");
    let list = |name: &str| answer[name].as_array().unwrap().clone();
    assert_eq!(list("words").len(), words.split_whitespace().count());
    for span in list("segments").iter().chain(&list("words")) {
        assert!(span["start"].as_f64() < span["end"].as_f64(), "{span}");
    }
}

#[tokio::test]
async fn a_sound_in_another_language_can_be_translated() {
    let service = ServiceInner::open(|_| ()).await;
    let fields = [("response_format", "verbose_json"), ("prompt", "Hello.")];
    let request = service.form("/v1/audio/translations", &fields, Some(&sound("voice-0")));
    let answer = service.ask(&request).await.json();
    assert_eq!(
        (answer["task"].as_str(), answer["language"].as_str()),
        (Some("translate"), Some("english")),
        "{answer}"
    );
}

#[tokio::test]
async fn a_mistake_is_answered_in_openais_shape() {
    let service = ServiceInner::open(|config| {
        config.max_upload_bytes = 200_000;
        config.engine.limit_seconds = 5;
    })
    .await;
    let short = sound("voice-0");
    let check = async |fields: &[(&str, &str)], sound: Option<&[u8]>, status, code, parameter: &str, says| {
        let answer = service.transcribe(fields, sound).await;
        assert_eq!(answer.status, status, "{fields:?}: {}", answer.body);
        let error = &answer.json()["error"];
        assert_eq!(error["code"], code, "{fields:?}");
        assert_eq!(error["type"], "invalid_request_error");
        assert_eq!(error["param"].as_str().unwrap_or_default(), parameter, "{fields:?}");
        assert!(error["message"].as_str().unwrap().contains(says), "{says}: {error}");
    };
    let some = Some(short.as_slice());
    check(&[("model", "gpt-5")], some, 404, "model_not_found", "model", "this server has `demo`").await;
    check(&[("language", "xx")], some, 400, "invalid_value", "language", "af, am, ar").await;
    check(&[("response_format", "doc")], some, 400, "invalid_value", "response_format", "json, text").await;
    check(&[("temperature", "2")], some, 400, "invalid_value", "temperature", "from 0 to 1").await;
    let name = "timestamp_granularities";
    check(&[("timestamp_granularities[]", "word")], some, 400, "invalid_value", name, "verbose_json").await;
    check(&[("model", "demo")], None, 400, "invalid_value", "file", "missing").await;
    check(&[], Some(b"no sound"), 400, "invalid_value", "file", "cannot read the sound").await;
    check(&[], Some(&sound("voice-3")), 400, "sound_too_long", "file", "longer than 5 s").await;
    check(&[], Some(&vec![0; 200_001]), 413, "file_too_large", "file", "200000 bytes").await;
    check(&[], Some(&vec![0; 2_000_000]), 413, "file_too_large", "file", "200000 bytes").await;
    let long = "a".repeat(70_000);
    check(&[("prompt", &long)], some, 400, "field_too_long", "", "`prompt` may have 65536 bytes").await;
    let many = vec![("a", "b"); 65];
    check(&many, some, 400, "too_many_fields", "", "64 fields").await;

    for (request, status, code) in [
        ("POST /v1/audio/transcriptions", 400, "invalid_form"),
        ("GET /v1/audio/transcriptions", 405, "method_not_allowed"),
        ("GET /v1/chat", 404, "unknown_url"),
        ("GET /v1/models/gpt-5", 404, "model_not_found"),
        ("GET /v1/models HTTP/1.1\r\nOrigin: https://example.org", 403, "foreign_origin"),
    ] {
        let line = if request.contains("HTTP") { request.to_owned() } else { format!("{request} HTTP/1.1") };
        let request =
            format!("{line}\r\nHost: {}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", service.address);
        let answer = service.ask(request.as_bytes()).await;
        assert_eq!(
            (answer.status, answer.json()["error"]["code"].as_str()),
            (status, Some(code)),
            "{request}"
        );
    }
    assert_eq!(service.sounds_left(), 0);
}

#[tokio::test]
async fn requests_beyond_the_queue_are_429() {
    let service = ServiceInner::open(|config| config.waiting = 0).await;
    let request = service.form("/v1/audio/transcriptions", &[], Some(&sound("voice-0")));
    // The first keeps its place as long as its sound is on the way.
    let mut first = service.send(&request[..1000]).await;
    service.counted("requests", 1).await;
    let second = service.ask(&request[..400]).await;
    assert_eq!(second.status, 429, "{}", second.body);
    assert!(second.head.contains("retry-after: 10"), "{}", second.head);
    assert_eq!(second.json()["error"]["type"], "rate_limit_error");
    first.write_all(&request[1000..]).await.unwrap();
    assert_eq!(answer(first).await.status, 200);
    service.counted("turned_away_total", 1).await;
}

#[tokio::test]
async fn as_many_sounds_as_sessions_are_transcribed_at_once_to_the_same_words() {
    let (fields, voice) = ([("response_format", "verbose_json")], sound("voice-0"));
    let service = ServiceInner::open(|_| ()).await;
    let alone = service.transcribe(&fields, Some(&voice)).await;
    let service = ServiceInner::open(|config| (config.waiting, config.engine.sessions) = (0, 2)).await;
    let long =
        service.send(&service.form("/v1/audio/transcriptions", &[], Some(&sound("two-minutes")))).await;
    service.counted("requests", 1).await;
    // Answered while the first is at work: nobody may wait here.
    let short = service.transcribe(&fields, Some(&voice)).await;
    assert_eq!((short.status, &short.body), (200, &alone.body));
    service.counted("requests", 1).await;
    assert_eq!(answer(long).await.status, 200);
}

#[tokio::test]
async fn work_ends_when_its_client_leaves() {
    let service = ServiceInner::open(|_| ()).await;
    let long = service.form("/v1/audio/transcriptions", &[], Some(&sound("two-minutes")));
    let leaving = service.send(&long).await;
    service.counted("requests", 1).await;
    drop(leaving);
    service.counted("requests", 0).await;
    let words = words("voice-0");
    let answer = service.transcribe(&[], Some(&sound("voice-0"))).await;
    assert_eq!(answer.json()["text"], words.as_str());
    // Only this one was transcribed to its end, and nothing of the other one is left.
    service.counted("sounds_total", 1).await;
    assert_eq!(service.sounds_left(), 0);
}

#[tokio::test]
async fn without_a_model_the_service_lives_and_names_the_missing_file() {
    let service = ServiceInner::open(|config| config.engine.model = "/nowhere/whisper-tiny".into()).await;
    assert_eq!(service.get("/healthz").await.status, 200);
    assert_eq!(service.get("/readyz").await.status, 503);
    assert_eq!(service.get("/v1/models").await.json()["data"], serde_json::json!([]));
    let answer = service.transcribe(&[], Some(&sound("voice-0"))).await;
    assert_eq!((answer.status, answer.json()["error"]["type"].as_str()), (503, Some("server_error")));
    assert!(answer.body.contains("clipcut model"), "{}", answer.body);
}

#[tokio::test]
async fn with_a_model_it_is_ready_and_lists_it() {
    let service = ServiceInner::open(|_| ()).await;
    assert_eq!(service.get("/readyz").await.status, 200);
    assert_eq!(service.get("/v1/models").await.json()["data"][0]["id"], "demo");
    assert_eq!(service.get("/v1/models/demo").await.json()["object"], "model");
}

#[tokio::test(flavor = "multi_thread")]
async fn openais_own_client_gets_every_format() {
    let service = ServiceInner::open(|_| ()).await;
    let python = here("../target/openai/bin/python");
    assert!(python.exists(), "scripts/install test brings OpenAI's client");
    let run = tokio::process::Command::from(Command::new(python))
        .arg(here("tests/openai_client.py"))
        .args([
            &format!("http://{}/v1", service.address),
            &here("tests/golden/voice-1.flac").display().to_string(),
        ])
        .arg(words("voice-1"))
        .kill_on_drop(true)
        .output();
    let run = tokio::time::timeout(Duration::from_mins(2), run).await.unwrap().unwrap();
    let complaints = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{complaints}");
    assert_eq!(
        String::from_utf8_lossy(&run.stdout).trim(),
        "json text srt vtt verbose_json translation models errors"
    );
}
