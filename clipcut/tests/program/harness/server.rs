//! A running server, with a client of its API and the paths of its library.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use reqwest::StatusCode;
use serde_json::Value;

use super::{Http, Program, clipcut, until};

/// A server on a free port.
pub(crate) struct Server {
    pub(crate) program: Program,
    pub(crate) http: Http,
    pub(crate) url: String,
    pub(crate) data: PathBuf,
}

impl Server {
    /// Starts a server whose library is in `data`, with `settings` in its environment.
    pub(crate) fn start(data: &Path, settings: &[(&str, &str)]) -> Self {
        Self::start_as(&mut Self::command(data, settings), data)
    }

    /// Returns the command line of a server.
    pub(crate) fn command(data: &Path, settings: &[(&str, &str)]) -> Command {
        let mut command = clipcut(data.parent().unwrap());
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).envs(settings.iter().copied());
        command
    }

    /// Starts `command`, a server whose library is at `data` as the test sees it.
    pub(crate) fn start_as(command: &mut Command, data: &Path) -> Self {
        let program = Program::start(command);
        let line = program.wait_for_log("serving http://");
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().to_owned();
        Self { http: Http::new(&url), program, url, data: data.to_owned() }
    }

    /// Uploads a file in one request and returns the video's id.
    pub(crate) async fn upload(&self, file: &Path) -> String {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        self.upload_bytes(&name, tokio::fs::read(file).await.unwrap()).await
    }

    /// Uploads bytes under the file name `name`.
    pub(crate) async fn upload_bytes(&self, name: &str, bytes: Vec<u8>) -> String {
        // Any name fits a query: the URL's own rules escape it.
        let path =
            reqwest::Url::parse_with_params("http://host/api/v1/videos", [("filename", name)]).unwrap();
        let path = format!("{}?{}", path.path(), path.query().unwrap());
        let answer = self.http.ask(self.http.request("POST", &path).body(bytes)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Returns a video's document.
    pub(crate) async fn show(&self, id: &str) -> Value {
        let answer = self.http.get(&format!("/api/v1/videos/{id}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.json()
    }

    /// Returns the document once the video is ready or has failed.
    pub(crate) async fn settled(&self, id: &str) -> Value {
        until("the video to be ready or failed", async || {
            let document = self.show(id).await;
            matches!(document["state"].as_str(), Some("ready" | "failed")).then_some(document)
        })
        .await
    }

    /// Returns the document of a video that becomes ready.
    pub(crate) async fn ready(&self, id: &str) -> Value {
        let document = self.settled(id).await;
        assert_eq!(document["state"], "ready", "{document}");
        document
    }

    /// Returns the path of a video's source.
    pub(crate) fn source(&self, id: &str) -> PathBuf {
        self.data.join("blobs/sources").join(id)
    }

    /// Returns the folder of a video's playlists and segments.
    pub(crate) fn folder(&self, id: &str) -> PathBuf {
        self.data.join("blobs/videos").join(id)
    }
}

/// Counts the segments published of the renditions of `kind`, or of all.
pub(crate) fn published(document: &Value, kind: Option<&str>) -> u64 {
    let renditions = document["renditions"].as_array().unwrap();
    let wanted = renditions.iter().filter(|r| kind.is_none_or(|kind| r["kind"] == kind));
    wanted.map(|r| r["segments_published"].as_u64().unwrap()).sum()
}
