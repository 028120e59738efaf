//! The cluster under fault: its servers and roles, and a client that retries its upload until it is whole.

use std::{collections::BTreeMap, path::Path, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream};
use tempfile::TempDir;
use testbed::{Mongodb, Postgres, Redis, Server};
use tokio::time::timeout;

use super::viewer::Viewer;
use crate::harness::{
    Answer, Clip, Cluster, Http, Program, Role, clipcut, count_frames, free_address, published, until,
};

// No request may take longer, whatever is broken; more than the time for which a server is frozen.
pub(super) const BOUND: Duration = Duration::from_secs(45);
const PAUSE: Duration = Duration::from_millis(100);
const PIECE: usize = 16 << 10;

/// A part that can fail. Of a role's two processes it is the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Origin,
    Packager,
    Postgres,
    Mongodb,
    Redis,
}

/// A part's process.
pub(super) enum Victim<'a> {
    Role(&'a mut Program),
    Server(&'a Server),
}

pub(super) struct Scene {
    postgres: Postgres,
    mongodb: Mongodb,
    redis: Redis,
    pub(super) origins: [Role; 2],
    packagers: [Role; 2],
    edge: Role,
    cluster: Cluster,
    home: TempDir,
}

/// An upload whose first half is stored, and a count of the responses to its client since.
pub(super) struct Sending {
    pub(super) id: String,
    path: String,
    bytes: Bytes,
    answers: BTreeMap<String, u32>,
}

impl Scene {
    pub(super) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let (postgres, mongodb, redis) = (Postgres::start(), Mongodb::start(), Redis::start());
        let cluster = Cluster::on(&postgres, &mongodb, &redis);
        assert_eq!(cluster.migrate(home.path()).code, Some(0));
        let origins = [(); 2].map(|()| origin(&cluster, home.path(), &free_address()));
        let packagers = [(); 2].map(|()| packager(&cluster, home.path()));
        let edge = Role::start(
            clipcut(home.path())
                .args(["edge", "--listen", "127.0.0.1:0", "--origin", &origins[0].url])
                .args(["--origin", &origins[1].url]),
        );
        Self { postgres, mongodb, redis, origins, packagers, edge, cluster, home }
    }

    pub(super) fn part(&mut self, part: Part) -> Victim<'_> {
        match part {
            Part::Origin => Victim::Role(&mut self.origins[0].program),
            Part::Packager => Victim::Role(&mut self.packagers[0].program),
            Part::Postgres => Victim::Server(self.postgres.server()),
            Part::Mongodb => Victim::Server(self.mongodb.server()),
            Part::Redis => Victim::Server(self.redis.server()),
        }
    }

    /// Uploads a clip whole, and returns its id.
    pub(super) async fn upload(&self, clip: Clip) -> String {
        let http = &self.origins[1].http;
        let bytes = std::fs::read(clip.file()).unwrap();
        let answer = http.ask(http.request("POST", "/api/v1/videos?filename=clip.mp4").body(bytes)).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Uploads the first half of a clip to the first origin, and leaves the request open.
    pub(super) async fn begin_upload(&self, clip: Clip) -> Sending {
        let http = &self.origins[0].http;
        let bytes = Bytes::from(std::fs::read(clip.file()).unwrap());
        let path = http.create_upload(bytes.len() as u64).await;
        let half = bytes.slice(..bytes.len() / 2);
        let request = http.append(&path, 0, pieces(half).chain(stream::pending()));
        tokio::spawn(Http::try_ask(request));
        // The server buffers before it writes, so the first sign is the state, not the offset.
        until("the upload to begin", async || {
            let state = http.get(&format!("/api/v1/videos/{}", id(&path))).await.json();
            (state["state"] == "uploading").then_some(())
        })
        .await;
        Sending { id: id(&path), path, bytes, answers: BTreeMap::new() }
    }

    /// Goes on with an upload at these `origins` in turn, until it is whole.
    pub(super) async fn go_on(&self, sending: &mut Sending, origins: &[usize]) {
        let len = sending.bytes.len() as u64;
        let mut turns = origins.iter().cycle();
        until("the upload to be whole", async || {
            let http = &self.origins[*turns.next().unwrap()].http;
            let head = sending.note("HEAD", http.tus("HEAD", &sending.path), &[200, 404, 503]).await;
            if head.as_ref().is_some_and(|head| head.status == 404) {
                // Once it is whole there is no upload of this address any more.
                return Some(());
            }
            let stored: Option<u64> = head.and_then(|head| match head.status.as_u16() {
                200 => head.header("upload-offset").parse().ok(),
                _ => None,
            });
            if let Some(stored) = stored.filter(|stored| *stored < len) {
                let rest = pieces(sending.bytes.slice(stored as usize..));
                let request = http.append(&sending.path, stored, rest);
                sending.note("PATCH", request, &[204, 404, 409, 423, 503]).await;
            }
            tokio::time::sleep(PAUSE).await;
            (stored == Some(len)).then_some(())
        })
        .await;
    }

    /// Waits until `count` segments are published.
    pub(super) async fn published(&self, id: &str, count: u64) {
        let path = format!("/api/v1/videos/{id}");
        until("segments to be published", async || {
            (published(&self.origins[1].http.get(&path).await.json(), None) >= count).then_some(())
        })
        .await;
    }

    /// Waits until a video is ready, which nothing may keep from it.
    pub(super) async fn ready(&self, id: &str, clip: Clip) {
        let path = format!("/api/v1/videos/{id}");
        until(&format!("{clip:?} to be ready"), async || {
            let answer = self.origins[1].http.get(&path).await;
            (answer.status == 200).then_some(())?;
            let state = answer.json()["state"].as_str().unwrap().to_owned();
            assert_ne!(state, "failed", "{}", answer.text());
            (state == "ready").then_some(())
        })
        .await;
    }

    /// Checks that the video is complete, without duplicates: its source, its segments, its frames, and no job left.
    pub(super) async fn whole(&self, id: &str, clip: Clip) {
        let store = self.cluster.store().await;
        let source = store.blobs.read(&format!("sources/{id}")).await.unwrap().unwrap();
        assert!(source == std::fs::read(clip.file()).unwrap(), "{clip:?}: the source is not the file");
        let master = self.edge.http.url(&format!("/v/{id}/master.m3u8"));
        assert_eq!(count_frames(&master), [clip.frames(), clip.frames()], "{clip:?}");
        let segments = clip.segments() * 3;
        let count =
            |rows: &str| self.cluster.ask(&format!("select count(*) from {rows} and video_id = '{id}'"));
        assert_eq!(count("segments where true"), segments.to_string(), "{clip:?}");
        // No transcriber runs here, so the job for captions stays.
        let jobs = "jobs where kind <> 'captions'";
        until("the last job to go", async || (count(jobs) == "0").then_some(())).await;
    }

    /// Starts a viewer of the video, through the edge and at an origin, until it is stopped.
    pub(super) fn watch(&self, id: &str, clip: Clip) -> Viewer {
        Viewer::enter(vec![self.edge.http.clone(), self.origins[1].http.clone()], id, clip.segments())
    }

    /// Restarts the roles that were killed.
    pub(super) fn replace_the_dead(&mut self) {
        if self.origins[0].program.try_wait().is_some() {
            let address = self.origins[0].url.trim_start_matches("http://").to_owned();
            self.origins[0] = origin(&self.cluster, self.home.path(), &address);
        }
        if self.packagers[0].program.try_wait().is_some() {
            self.packagers[0] = packager(&self.cluster, self.home.path());
        }
    }
}

fn origin(cluster: &Cluster, home: &Path, address: &str) -> Role {
    cluster.start(home, "origin", &[("CLIPCUT_LISTEN", address), ("CLIPCUT_SEGMENT_WAIT", "1s")])
}

fn packager(cluster: &Cluster, home: &Path) -> Role {
    cluster.start(home, "packager", &[("CLIPCUT_RUN_SEGMENTS", "2")])
}

fn id(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

fn pieces(bytes: Bytes) -> impl stream::Stream<Item = std::io::Result<Bytes>> + Send + 'static {
    stream::iter((0..bytes.len()).step_by(PIECE).map(move |n| Ok(bytes.slice(n..bytes.len().min(n + PIECE)))))
}

impl Sending {
    /// Sends the request, counts the outcome, and returns the response if there was one; its status must be one of
    /// `expected`.
    async fn note(
        &mut self,
        method: &str,
        request: reqwest::RequestBuilder,
        expected: &[u16],
    ) -> Option<Answer> {
        let answer = timeout(BOUND, Http::try_ask(request)).await.expect("an answer in bounded time");
        let outcome = match &answer {
            Ok(answer) => {
                assert!(expected.contains(&answer.status.as_u16()), "{method}: {answer:?}");
                if matches!(answer.status.as_u16(), 423 | 503) {
                    assert!(answer.headers.contains_key("retry-after"), "{method}: {answer:?}");
                }
                format!("{method} {}", answer.status.as_u16())
            }
            Err(_) => format!("{method} broken off"),
        };
        *self.answers.entry(outcome).or_default() += 1;
        answer.ok()
    }

    /// Returns the counts of the responses, as text.
    pub(super) fn summary(&self) -> String {
        let counts: Vec<String> =
            self.answers.iter().map(|(what, times)| format!("{times} × {what}")).collect();
        counts.join(", ")
    }
}
