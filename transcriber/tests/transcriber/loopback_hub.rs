//! A hub with huggingface.co's URLs on this machine, which has the demo model, and the faults that hubs have.

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_RANGE, RANGE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::json;
use transcriber::model::folder::sha256;

/// The commit that it has.
pub(crate) const COMMIT: &str = "0123456789abcdef";

/// The files of the precision `quantized`, and a network of another one.
pub(crate) const FILES: [&str; 6] = [
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
    "onnx/encoder_model_quantized.onnx",
    "onnx/decoder_model_merged_quantized.onnx",
];
const OTHERS: [&str; 2] = ["onnx/encoder_model.onnx", "onnx/decoder_model_merged.onnx"];

/// A fault, which shows once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection breaks off in the middle of the file.
    BreaksOff(&'static str),
    /// The file ends early, without an error.
    EndsEarly(&'static str),
    /// The server answers a range with the whole.
    IgnoresRanges,
    /// The server answers with another range than was asked for.
    AnswersAnotherRange,
}

/// The hub.
pub(crate) struct Hub {
    pub(crate) folder: PathBuf,
    /// Checksums in the listing that are none of its files.
    pub(crate) wrong_checksums: bool,
    /// Git's names of the files that are not in LFS.
    pub(crate) git_names: BTreeMap<String, String>,
    pub(crate) fault: Mutex<Option<Fault>>,
    /// Every request of a file: its name, and its range.
    pub(crate) requests: Mutex<Vec<(String, Option<String>)>>,
}

impl Hub {
    pub(crate) fn of(folder: PathBuf) -> Self {
        Self {
            folder,
            wrong_checksums: false,
            git_names: BTreeMap::new(),
            fault: Mutex::default(),
            requests: Mutex::default(),
        }
    }

    /// Has it answer until the test ends. Returns its URL; the repository is `clip-cut/demo`.
    pub(crate) async fn start(self) -> (String, Arc<Self>) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let hub = Arc::new(self);
        let routes = Router::new()
            .route("/api/models/clip-cut/demo/revision/main", get(listing))
            .route("/clip-cut/demo/resolve/0123456789abcdef/{*file}", get(file))
            .with_state(hub.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        (url, hub)
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, Vec<(String, Option<String>)>> {
        self.requests.lock().unwrap()
    }

    fn fault(&self, shows: impl Fn(Fault) -> bool) -> Option<Fault> {
        self.fault.lock().unwrap().take_if(|fault| shows(*fault))
    }
}

async fn listing(State(hub): State<Arc<Hub>>) -> Response {
    let listed = |name: &&str| {
        let path = hub.folder.join(name);
        let size = fs::metadata(&path).unwrap().len();
        if let Some(git) = hub.git_names.get(*name) {
            return json!({ "rfilename": name, "size": size, "blobId": git });
        }
        let hash = if hub.wrong_checksums { "00".to_owned() } else { sha256(&path).unwrap() };
        json!({ "rfilename": name, "size": size, "blobId": "0f", "lfs": { "sha256": hash } })
    };
    let siblings: Vec<_> = FILES.iter().chain(&OTHERS).map(listed).collect();
    let card = json!({ "license": "mit" });
    Json(json!({ "sha": COMMIT, "siblings": siblings, "cardData": card })).into_response()
}

async fn file(State(hub): State<Arc<Hub>>, Path(name): Path<String>, headers: HeaderMap) -> Response {
    let bytes = fs::read(hub.folder.join(&name)).unwrap();
    let half = bytes.len() / 2;
    let range = headers.get(RANGE).map(|range| range.to_str().unwrap().to_owned());
    hub.requests().push((name.clone(), range.clone()));
    match hub.fault(|fault| matches!(fault, Fault::BreaksOff(of) | Fault::EndsEarly(of) if of == name)) {
        Some(Fault::BreaksOff(_)) => {
            let stream =
                futures::stream::iter([Ok(bytes[..half].to_vec()), Err(std::io::Error::other("gone"))]);
            return Body::from_stream(stream).into_response();
        }
        Some(_) => return bytes[..half].to_vec().into_response(),
        None => {}
    }
    let Some(range) = range else { return bytes.into_response() };
    if hub.fault(|fault| fault == Fault::IgnoresRanges).is_some() {
        return bytes.into_response();
    }
    let from: usize = range.strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap();
    let from = if hub.fault(|fault| fault == Fault::AnswersAnotherRange).is_some() { from - 1 } else { from };
    let content_range = format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len());
    (StatusCode::PARTIAL_CONTENT, [(CONTENT_RANGE, content_range)], bytes[from..].to_vec()).into_response()
}
