//! An origin that runs for one test, and of asking it things.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use origin::{Config, Origin};
use serde_json::json;
use server::Limits;
use store::{
    Failure, JobClass, JobKind, NewJob, NewPlan, NewVideo, Rendition, RenditionKind, Store, Timestamp,
    VideoId,
};
use tempfile::TempDir;
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::{CancellationToken, DropGuard};

/// The note on a planned video.
pub(crate) const NOTE: &str = "The recording was interrupted once; its two parts follow each other.";

pub(crate) struct Harness {
    pub(crate) store: Store,
    pub(crate) origin: Origin,
    pub(crate) address: SocketAddr,
    pub(crate) shutdown: CancellationToken,
    _dir: TempDir,
    _stop: DropGuard,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Harness {
    pub(crate) async fn open() -> Self {
        Self::with(Config::default()).await
    }

    pub(crate) async fn with(config: Config) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::embedded(dir.path()).await.unwrap();
        let shutdown = CancellationToken::new();
        let origin = Origin::new(store.clone(), config, shutdown.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(server::serve(listener, origin.router(), Limits::default(), shutdown.clone()));
        let stop = shutdown.clone().drop_guard();
        Self { store, origin, address, shutdown, _dir: dir, _stop: stop }
    }

    /// Sends a request on a connection of its own and returns the response before its body.
    #[expect(clippy::too_many_arguments, reason = "a request has these four parts")]
    pub(crate) async fn begin(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> http::Response<Incoming> {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut client, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
        request = request.header("host", "origin.test");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        client.send_request(request.body(Full::new(body.into())).unwrap()).await.unwrap()
    }

    #[expect(clippy::too_many_arguments, reason = "a request has these four parts")]
    pub(crate) async fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let (parts, body) = self.begin(method, path, headers, body).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &[], "").await
    }

    /// Opens a connection and writes `text` to it.
    pub(crate) async fn raw(&self, text: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        stream
    }

    /// Makes a video of which no byte has come.
    pub(crate) async fn begun(&self, title: &str) -> VideoId {
        let video = NewVideo {
            title: title.to_owned(),
            description: String::new(),
            source_name: "clip.mp4".to_owned(),
            owner: None,
        };
        let expires_at = Timestamp::now() + Duration::from_hours(1);
        self.store.uploads.begin(&video, Some(6), expires_at).await.unwrap().id
    }

    /// Makes a video whose file is whole.
    pub(crate) async fn uploaded(&self, title: &str) -> VideoId {
        let id = self.begun(title).await;
        let mut append = self.store.uploads.append(&id, false).await.unwrap().unwrap();
        append.write(b"source").await.unwrap();
        self.store.uploads.finish(append).await.unwrap();
        id
    }

    /// Has a worker give up on a planned video.
    pub(crate) async fn fail(&self, id: &VideoId, failure: &Failure) {
        self.store.jobs.requeue_playlists(id).await.unwrap();
        let lease = Duration::from_mins(1);
        let job = self.store.jobs.claim(&[JobKind::Playlists], "worker", lease).await.unwrap().unwrap();
        assert_eq!(job.video, *id);
        self.store.videos.fail(&job, failure).await.unwrap();
    }

    /// Makes a video that is planned, with renditions `720p` and `audio` of `segments` each, six seconds long.
    pub(crate) async fn planned(&self, segments: u32) -> VideoId {
        let id = self.uploaded("Planned").await;
        self.plan(&id, segments).await;
        id
    }

    /// Plans a video whose file is whole.
    pub(crate) async fn plan(&self, id: &VideoId, segments: u32) {
        let rendition = |name: &str, kind| Rendition {
            name: name.to_owned(),
            kind,
            width: (kind == RenditionKind::Video).then_some(1280),
            height: (kind == RenditionKind::Video).then_some(720),
            frame_rate: (kind == RenditionKind::Video).then_some(29.97),
            bitrate_bps: Some(2_000_000),
            language: None,
            label: None,
            codecs: None,
            segments_total: segments,
            start_up: false,
        };
        let renditions = [rendition("720p", RenditionKind::Video), rendition("audio", RenditionKind::Audio)];
        let job = NewJob {
            kind: JobKind::Video,
            track: "720p".to_owned(),
            segments: 0..segments,
            class: JobClass::Rest,
            turn: 0,
        };
        let duration_seconds = f64::from(segments) * 6.0;
        // The grid alone: the origin reads no other part of a plan, the packager reads the rest.
        let grid = json!({ "timescale": 25, "segment_ticks": 150, "duration_ticks": segments * 150 });
        let plan = NewPlan {
            json: &json!({ "grid": grid }).to_string(),
            duration_seconds,
            renditions: &renditions,
            jobs: &[job],
            captions: &[],
            listen: true,
            notes: &[String::from(NOTE)],
        };
        self.store.renditions.plan(id, &plan).await.unwrap();
    }

    pub(crate) async fn put(&self, id: &VideoId, tail: &str, bytes: &str) {
        self.store.blobs.put(&format!("videos/{id}/{tail}"), bytes.as_bytes()).await.unwrap();
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Checks that this is a problem, and which.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status.as_u16(), status, "{text}");
        assert_eq!(self.header("content-type"), "application/problem+json", "{text}");
        assert_eq!(self.json()["code"], code, "{text}");
        assert_eq!(self.header("cache-control"), "no-store");
        assert_eq!(self.header("access-control-allow-origin"), "*");
    }
}
