//! Pulling a model from a hub with huggingface.co's URLs, on this machine.

use std::{
    fs,
    path::Path as FilePath,
    sync::{Arc, Mutex},
};

use crate::harness::demo;
use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header::RANGE},
    response::{IntoResponse, Response},
    routing::get,
};
use reqwest::Client;
use serde_json::json;
use transcriber::{
    hub::{LOCK, Lock, Pull, lock_of, pull},
    model::{Loading, Model, device::Device, folder::sha256},
    runtime::Runtime,
};

const FILES: [&str; 6] = [
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "onnx/encoder_model_quantized.onnx",
    "onnx/decoder_model_merged_quantized.onnx",
];

/// The faults of the hub, and the requests that it got.
#[derive(Default)]
struct Hub {
    breaks_off: Mutex<Option<&'static str>>,
    lies: Mutex<bool>,
    ranges: Mutex<Vec<String>>,
}

async fn start(hub: Arc<Hub>) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new()
        .route("/api/models/clip-cut/demo/revision/main", get(listing))
        .route("/clip-cut/demo/resolve/0123456789abcdef/{*file}", get(file))
        .with_state(hub);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    // Fails only when one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    url
}

async fn listing(State(hub): State<Arc<Hub>>) -> Response {
    let lies = *hub.lies.lock().unwrap();
    let siblings: Vec<_> = FILES
        .iter()
        .map(|name| {
            let path = demo().join(name);
            let hash = if lies { "00".to_owned() } else { sha256(&path).unwrap() };
            json!({ "rfilename": name, "size": fs::metadata(&path).unwrap().len(), "lfs": { "sha256": hash } })
        })
        .collect();
    Json(json!({ "sha": "0123456789abcdef", "siblings": siblings })).into_response()
}

async fn file(State(hub): State<Arc<Hub>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let bytes = fs::read(demo().join(&name)).unwrap();
    let mut broken = hub.breaks_off.lock().unwrap();
    if *broken == Some(name.as_str()) {
        *broken = None;
        let half = bytes[..bytes.len() / 2].to_vec();
        let stream = futures::stream::iter([Ok(half), Err(std::io::Error::other("gone"))]);
        return Body::from_stream(stream).into_response();
    }
    let range = headers.get(RANGE).map(|range| range.to_str().unwrap().to_owned());
    let Some(range) = range else { return bytes.into_response() };
    let from: usize = range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap();
    hub.ranges.lock().unwrap().push(range);
    (StatusCode::PARTIAL_CONTENT, bytes[from..].to_vec()).into_response()
}

fn pull_from<'a>(endpoint: &'a str, models: &'a FilePath) -> Pull<'a> {
    Pull { endpoint, repository: "clip-cut/demo", revision: "main", precision: "quantized", models }
}

#[tokio::test]
async fn a_model_is_pulled_whole_and_locked_after_a_broken_pull() {
    let hub = Arc::new(Hub::default());
    *hub.breaks_off.lock().unwrap() = Some("onnx/encoder_model_quantized.onnx");
    let endpoint = start(hub.clone()).await;
    let models = tempfile::tempdir().unwrap();
    let client = Client::new();
    let broken = pull(&client, &pull_from(&endpoint, models.path()), |_| {}).await.unwrap_err().to_string();
    assert!(broken.contains("run the same command again"), "{broken}");
    assert!(!models.path().join("demo").exists());

    let mut last = None;
    let folder =
        pull(&client, &pull_from(&endpoint, models.path()), |progress| last = Some(progress)).await.unwrap();
    let last = last.unwrap();
    assert_eq!(last.done, last.all);
    assert_eq!(hub.ranges.lock().unwrap().len(), 1);
    assert_eq!(folder, models.path().join("demo"));
    let Lock { repository, revision, files } = lock_of(&folder).unwrap().unwrap();
    assert_eq!((repository.as_str(), revision.as_str()), ("clip-cut/demo", "0123456789abcdef"));
    assert_eq!(files.len(), FILES.len());
    let loading = Loading { folder: &folder, precision: "quantized", threads: 1, device: Device::Cpu };
    assert!(Model::load(Runtime::load(None).unwrap(), loading).unwrap().revision.is_some());

    // Again: the new one takes the old one's place, and nothing else is left behind.
    pull(&client, &pull_from(&endpoint, models.path()), |_| {}).await.unwrap();
    assert!(folder.join(LOCK).is_file());
    assert_eq!(fs::read_dir(models.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_file_unlike_its_listing_is_not_kept() {
    let hub = Arc::new(Hub::default());
    *hub.lies.lock().unwrap() = true;
    let endpoint = start(hub).await;
    let models = tempfile::tempdir().unwrap();
    let client = Client::new();
    let refused = pull(&client, &pull_from(&endpoint, models.path()), |_| {}).await.unwrap_err().to_string();
    assert!(refused.contains("config.json") && refused.contains("pull again"), "{refused}");
    assert!(!models.path().join("demo").exists());

    let absent = Pull { repository: "clip-cut/other", ..pull_from(&endpoint, models.path()) };
    assert!(pull(&client, &absent, |_| {}).await.unwrap_err().to_string().contains("404"));
    let odd = Pull { repository: "../../etc", ..pull_from(&endpoint, models.path()) };
    assert!(pull(&client, &odd, |_| {}).await.unwrap_err().to_string().contains("no repository"));
}
