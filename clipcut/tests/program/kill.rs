//! SIGKILL at any moment: stored bytes stay, published segments stay byte-equal, nothing half-written is ever
//! readable, and the work resumes.

use std::{collections::HashMap, path::Path, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream};
use rand::{RngExt, rngs::StdRng};
use reqwest::StatusCode;

use crate::harness::{
    Answer, Clip, DEMO_MODEL, Http, Server, Shelf, boxes, clipcut, count_frames, finish, published, seeded,
    try_ask, until,
};

const RUN_SEGMENTS: u32 = 4;

fn moments(random: &mut StdRng, below: u64) -> Vec<u64> {
    let mut moments: Vec<u64> = (0..5).map(|_| random.random_range(1..below)).collect();
    moments.sort_unstable();
    moments
}

#[tokio::test]
async fn an_upload_resumes_at_the_offset_of_head() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let bytes = Bytes::from(std::fs::read(Clip::Heavy.file()).unwrap());
    let len = bytes.len() as u64;
    let mut server = Server::start(&data, &[]);
    let upload = server.http.create_upload(len).await;
    let id = upload.rsplit('/').next().unwrap().to_owned();

    let mut stored = 0;
    for moment in moments(&mut seeded(), len) {
        if moment > stored {
            // Sends up to the moment and then nothing more, so that the server dies in the middle of a request.
            let pieces = bytes.slice(stored as usize..moment as usize);
            let pieces = (0..pieces.len())
                .step_by(60_000)
                .map(move |n| Ok(pieces.slice(n..pieces.len().min(n + 60_000))));
            let request = server.http.append(&upload, stored, stream::iter(pieces).chain(stream::pending()));
            let sending = tokio::spawn(Http::try_ask(request));
            // The server gathers less than a megabyte before it writes.
            until("the bytes to arrive", async || {
                (server.http.offset(&upload).await + (1 << 20) >= moment).then_some(())
            })
            .await;
            let acknowledged = server.http.offset(&upload).await;
            server.program.kill();
            assert!(sending.await.unwrap().is_err(), "a dead server answered");

            server = Server::start(&data, &[]);
            stored = server.http.offset(&upload).await;
            println!("killed after {moment} bytes: {acknowledged} were acknowledged, {stored} are stored");
            assert!(
                (acknowledged..=moment).contains(&stored),
                "{acknowledged} acknowledged, {moment} sent, {stored} stored"
            );
        }
    }

    let rest = stream::iter([Ok(bytes.slice(stored as usize..))]);
    let answer = server.http.ask(server.http.append(&upload, stored, rest)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
    assert_eq!(server.http.offset(&upload).await, len);
    assert!(std::fs::read(server.source(&id)).unwrap() == bytes, "the source is not the file");
    server.ready(&id).await;
    let master = server.http.url(&format!("/v/{id}/master.m3u8"));
    assert!(count_frames(&master).iter().all(|frames| *frames == Clip::Heavy.frames()));
}

#[tokio::test]
async fn an_encode_goes_on_from_its_last_published_segment() {
    let settings: &[(&str, &str)] = &[
        ("CLIPCUT_RUN_SEGMENTS", &RUN_SEGMENTS.to_string()),
        // A missing segment is 503 at once, so that a look at all of them is quick.
        ("CLIPCUT_SEGMENT_WAIT", "1ms"),
        ("CLIPCUT_LOG", "info,packager=debug"),
    ];
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut random = seeded();
    let mut server = Server::start(&data, settings);
    let id = server.upload(Clip::Long.file()).await;
    let mut witness = Witness::default();
    let mut encoded = 0;

    // Two renditions and the sound have eleven segments each.
    for moment in moments(&mut random, 33) {
        until("the moment", async || {
            let document = server.show(&id).await;
            (published(&document, None) >= moment || document["state"] == "ready").then_some(())
        })
        .await;
        // Anywhere between two segments, not only right behind one.
        tokio::time::sleep(Duration::from_millis(random.random_range(0..50))).await;
        server.program.kill();
        let left = Shelf::of(&server.folder(&id));
        println!("killed after segment {moment}: {} files are there", left.len());
        #[cfg(target_os = "linux")]
        until("the encoders to end with their server", async || (!works_on(&data)).then_some(())).await;

        server = Server::start(&data, settings);
        witness.look(&server.http, &id).await;
        until("the encode to go on", async || {
            let document = server.show(&id).await;
            witness.look(&server.http, &id).await;
            let more = Shelf::of(&server.folder(&id)).len() > left.len();
            (more || document["state"] == "ready").then_some(())
        })
        .await;
        left.check_still_stands(&server.folder(&id));
        encoded += check_not_encoded_again(&left, &server.program.log());
    }

    let document = until("the video to be ready", async || {
        let document = server.show(&id).await;
        assert_ne!(document["state"], "failed", "{document}");
        witness.look(&server.http, &id).await;
        (document["state"] == "ready").then_some(document)
    })
    .await;
    assert_eq!(published(&document, None), 3 * Clip::Long.segments(), "{document}");
    assert!(encoded > 0, "the logs name no segment");
    witness.look(&server.http, &id).await;
    assert_eq!(
        witness.seen.len() as u64,
        3 * Clip::Long.segments() + 3,
        "every segment and every init segment was seen"
    );
    witness.decode();
    let master = server.http.url(&format!("/v/{id}/master.m3u8"));
    assert_eq!(count_frames(&master), [Clip::Long.frames(), Clip::Long.frames()]);
}

#[tokio::test]
async fn captions_go_on_behind_their_last_window_to_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut server = Server::start(&data, &DEMO_MODEL);
    let id = server.upload(Clip::Lecture.file()).await;
    let mut done = 0.0;
    for moment in moments(&mut seeded(), 440).into_iter().step_by(2) {
        let killed_at = until("the moment", async || {
            let seconds = transcribed(&server, &id, &mut done).await;
            (seconds >= moment as f64).then_some(seconds)
        })
        .await;
        server.program.kill();
        println!("killed after {killed_at:.0} s, for {moment}");
        // A child that was just being started holds the library's lock until it is ffmpeg.
        #[cfg(target_os = "linux")]
        until("its children to end with the server", async || (!works_on(&data)).then_some(())).await;
        server = Server::start(&data, &DEMO_MODEL);
    }
    until("the captions to be whole", async || {
        transcribed(&server, &id, &mut done).await;
        (server.show(&id).await["captions"][0]["state"] == "done").then_some(())
    })
    .await;
    let written = server.http.get(&format!("/v/{id}/captions/en.srt")).await.text();
    let once = finish(
        clipcut(home.path())
            .arg("transcribe")
            .arg(Clip::Lecture.file())
            .args(["--format", "srt", "-o", "once"])
            .envs(DEMO_MODEL),
    );
    assert_eq!(once.code, Some(0), "{once:?}");
    assert_eq!(written, std::fs::read_to_string(home.path().join("once/lecture.srt")).unwrap());
}

/// Returns the seconds of a video's sound that are transcribed, never less than `before`.
async fn transcribed(server: &Server, id: &str, before: &mut f64) -> f64 {
    let seconds = server.show(id).await["captions"][0]["seconds_done"].as_f64().unwrap_or_default();
    assert!(seconds >= *before, "{before} s were transcribed, and then only {seconds}");
    *before = seconds;
    seconds
}

/// Records the first response of every URL: it must be whole, and later ones must equal it.
#[derive(Default)]
struct Witness {
    seen: HashMap<String, Answer>,
}

impl Witness {
    /// Fetches every segment that the playlists list.
    async fn look(&mut self, http: &Http, id: &str) {
        let master = http.get(&format!("/v/{id}/master.m3u8")).await;
        if master.status == StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(master.problem(), "video_not_prepared_yet");
            return;
        }
        for playlist in uris(&master.text()).into_iter().filter(|uri| uri.ends_with("media.m3u8")) {
            let rendition = playlist.strip_suffix("/media.m3u8").unwrap();
            let media = http.get(&format!("/v/{id}/{playlist}")).await;
            assert_eq!(media.status, StatusCode::OK);
            assert!(media.text().ends_with("#EXT-X-ENDLIST\n"), "{}", media.text());
            for uri in uris(&media.text()) {
                let path = format!("/v/{id}/{rendition}/{uri}");
                let now = http.get(&path).await;
                match self.seen.get(&path) {
                    Some(before) => {
                        assert!(before.body == now.body, "{path} changed");
                        // A segment that is sent while it is encoded has no validators yet.
                        match before.headers.get("etag") {
                            Some(tag) => assert_eq!(now.headers.get("etag"), Some(tag), "{path}"),
                            None => drop(self.seen.insert(path, now)),
                        }
                    }
                    None if now.status == StatusCode::SERVICE_UNAVAILABLE => {
                        assert_eq!(now.problem(), "segment_not_encoded_yet");
                    }
                    None => {
                        assert_eq!(now.status, StatusCode::OK, "{path}: {now:?}");
                        let last = if uri == "init.mp4" { "moov" } else { "mdat" };
                        assert_eq!(boxes(&now.body).last().map(String::as_str), Some(last), "{path}");
                        self.seen.insert(path, now);
                    }
                }
            }
        }
    }

    /// Decodes each segment behind its init segment.
    fn decode(&self) {
        for (path, segment) in self.seen.iter().filter(|(path, _)| !path.ends_with("/init.mp4")) {
            let (rendition, _) = path.rsplit_once('/').unwrap();
            let init = &self.seen[&format!("{rendition}/init.mp4")];
            let entries = ["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", "-"];
            let args = [&["-v", "warning", "-count_frames"], &entries[..]].concat();
            let frames = try_ask("ffprobe", &args, &[&init.body, &segment.body]);
            let frames: u64 = frames.unwrap_or_else(|e| panic!("{path}: {e}")).trim().parse().unwrap();
            assert!(frames > 0, "{path}");
        }
    }
}

fn uris(playlist: &str) -> Vec<String> {
    let uri = |line: &str| match line.split_once("URI=\"") {
        Some((_, rest)) => rest.split('"').next().map(str::to_owned),
        None => (!line.is_empty() && !line.starts_with('#')).then(|| line.to_owned()),
    };
    let mut uris = Vec::new();
    for uri in playlist.lines().filter_map(uri) {
        if !uris.contains(&uri) {
            uris.push(uri);
        }
    }
    uris
}

/// Counts the segments that a server published by its log. Of those that were `left` to it, one a rendition may be among them.
fn check_not_encoded_again(left: &Shelf, log: &str) -> usize {
    let published = |line: &str| -> Option<(String, u32)> {
        let (_, fields) = line.split_once(": published ")?;
        let (rendition, fields) = fields.split_once("rendition=\"")?.1.split_once("\" number=")?;
        Some((rendition.to_owned(), fields.split(' ').next()?.parse().ok()?))
    };
    let published: Vec<_> = log.lines().filter_map(published).collect();
    let mut again: HashMap<&str, usize> = HashMap::new();
    for (rendition, number) in &published {
        if left.has(&format!("{rendition}/{number}.m4s")) {
            *again.entry(rendition).or_default() += 1;
        }
    }
    // A kill between the rename of the file and the commit of its row leaves the file without a row.
    assert!(again.values().all(|count| *count <= 1), "encoded again: {again:?}");
    published.len()
}

/// Whether the command line of any process names `folder`.
#[cfg(target_os = "linux")]
fn works_on(folder: &Path) -> bool {
    let folder = folder.to_string_lossy().into_owned();
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let mut commands = processes.filter_map(|process| std::fs::read(process.path().join("cmdline")).ok());
    commands.any(|command| String::from_utf8_lossy(&command).contains(&folder))
}
