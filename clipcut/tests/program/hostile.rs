//! Hostile files and names: none reads another person's file or stops the server; each leaves an error with a reason, a
//! retry and a way to delete.

use std::fs;

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Clip, Server, Shelf, count_frames, make, try_ask};

fn code(document: &Value) -> &str {
    document["error"]["code"].as_str().unwrap_or_default()
}

/// Uploads `bytes` as clip.mp4, and expects nothing of it to be packaged.
async fn check_refused(server: &Server, what: &str, bytes: Vec<u8>, codes: &[&str]) -> String {
    let id = server.upload_bytes("clip.mp4", bytes).await;
    let document = server.settled(&id).await;
    println!("{what}: {} {}", document["state"], document["error"]);
    assert_eq!(document["state"], "failed", "{what}: {document}");
    assert!(codes.contains(&code(&document)), "{what}: {document}");
    let message = document["error"]["message"].as_str().unwrap();
    assert!(message.ends_with('.') && message.len() > 20, "{what}: {message:?} is no sentence");
    assert_eq!(Shelf::of(&server.folder(&id)).len(), 0, "{what} was packaged");
    assert!(!server.folder(&id).join("poster.jpg").exists(), "{what} has a poster");
    id
}

#[tokio::test]
async fn no_file_makes_the_server_read_another_persons() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let victim = server.upload(Clip::Short.file()).await;
    server.ready(&victim).await;
    let source = server.source(&victim).display().to_string();
    let rendition = server.folder(&victim).join("240p").display().to_string();

    let hls = format!(
        "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:6\n#EXT-X-MAP:URI=\"{rendition}/init.mp4\"\n\
         #EXTINF:2,\n{rendition}/0.m4s\n#EXT-X-ENDLIST\n"
    );
    // All sources lie in one folder, so a plain name reaches any of them, and ids are in URLs.
    let concat = format!("ffconcat version 1.0\nfile {victim}\n");
    let references = with_external_data(&fs::read(Clip::Short.file()).unwrap(), &victim);
    let sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n\
               a=rtpmap:96 H264/90000\n";
    let mpd = format!(
        "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
         mediaPresentationDuration=\"PT2S\"><Period><AdaptationSet mimeType=\"video/mp4\"><Representation id=\"1\" \
         bandwidth=\"1\"><BaseURL>{source}</BaseURL></Representation></AdaptationSet></Period></MPD>"
    );
    let svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"><image href=\"file://{source}\"/></svg>"
    );

    // ffmpeg without our whitelists follows these, so the refusals below are of real attacks.
    let follows = |what: &str, options: &[&str], bytes: &[u8]| {
        let file = server.source("clip.mp4");
        fs::write(&file, bytes).unwrap();
        let ask = ["-v", "quiet", "-show_entries", "packet=size", "-of", "csv=p=0"];
        let packets = try_ask("ffprobe", &[&ask, options, &[file.to_str().unwrap()]].concat(), &[]);
        fs::remove_file(&file).unwrap();
        assert!(packets.is_ok_and(|packets| packets.lines().count() >= 50), "{what} is no attack");
    };
    follows("the HLS playlist", &[], hls.as_bytes());
    follows("the ffconcat script", &[], concat.as_bytes());
    follows("the MP4", &["-enable_drefs", "1"], &references);

    let not_media = &["not_media"][..];
    check_refused(&server, "an HLS playlist", hls.into_bytes(), not_media).await;
    check_refused(&server, "an ffconcat script", concat.into_bytes(), not_media).await;
    let nothing = &["not_media", "nothing_to_play"][..];
    check_refused(&server, "an MP4 with its data elsewhere", references, nothing).await;
    check_refused(&server, "an SDP", sdp.into(), not_media).await;
    check_refused(&server, "an MPD", mpd.into_bytes(), not_media).await;
    check_refused(&server, "an SVG", svg.into_bytes(), not_media).await;
    // A picture under the name of a pattern is known by its first bytes.
    let picture = make(home.path(), "1.png", "-f lavfi -i color=s=64x64 -frames:v 1");
    let request = server.http.request("POST", "/api/v1/videos?filename=%25d.png");
    let pattern = server.http.ask(request.body(fs::read(picture).unwrap())).await;
    assert_eq!((pattern.status, pattern.problem()), (StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_media".into()));
    // The other person's video is as it was.
    server.ready(&victim).await;
}

/// Returns the index of `mp4` alone, with data references to `file` in the same folder.
fn with_external_data(mp4: &[u8], file: &str) -> Vec<u8> {
    let mut alias = vec![0; 154];
    // One level up from the alias and one down to the target: the same folder.
    (alias[135], alias[137]) = (1, 1);
    let path = format!("/{file}");
    // Records of a kind and a length, the lengths even; kind 2 is a path, kind -1 the end.
    alias.extend([0, 2, 0, path.len().next_multiple_of(2) as u8]);
    alias.extend(path.bytes());
    alias.resize(alias.len().next_multiple_of(2), 0);
    alias.extend([0xff, 0xff, 0, 0]);
    let dref = [&[0, 0, 0, 0, 0, 0, 0, 1][..], &in_box(*b"alis", &alias)].concat();
    let mut changed = Vec::new();
    for (name, content) in parts(mp4).into_iter().filter(|(name, _)| *name != *b"mdat") {
        changed.extend(in_box(name, &replaced(name, content, &dref)));
    }
    changed
}

fn replaced(name: [u8; 4], content: &[u8], dref: &[u8]) -> Vec<u8> {
    match &name {
        b"dref" => dref.to_vec(),
        b"moov" | b"trak" | b"mdia" | b"minf" | b"dinf" => {
            let inner = parts(content).into_iter();
            inner.flat_map(|(name, content)| in_box(name, &replaced(name, content, dref))).collect()
        }
        _ => content.to_vec(),
    }
}

fn parts(mut bytes: &[u8]) -> Vec<([u8; 4], &[u8])> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let size = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
        parts.push((bytes[4..8].try_into().unwrap(), &bytes[8..size]));
        bytes = &bytes[size..];
    }
    parts
}

fn in_box(name: [u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], &name, content].concat()
}

#[tokio::test]
async fn what_is_broken_or_too_much_fails_with_a_reason_and_may_be_tried_again_and_deleted() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    // The index behind the data, and then lost.
    let behind = make(home.path(), "behind.mp4", "-f lavfi -i testsrc2=s=320x240:r=25:d=4 -c:v libx264");
    let behind = fs::read(behind).unwrap();
    let forbidden = make(home.path(), "m.avi", "-f lavfi -i testsrc2=s=320x240:r=25:d=1 -c:v magicyuv");
    let random: Vec<u8> = std::iter::repeat_with(rand::random::<u8>).take(100_000).collect();

    check_refused(&server, "half a file", behind[..behind.len() / 2].to_vec(), &["cut_off"]).await;
    check_refused(&server, "MagicYUV", fs::read(forbidden).unwrap(), &["unsupported_codec"]).await;
    let id = check_refused(&server, "random bytes", random, &["not_media"]).await;

    // Nothing at all can come only through tus: a request without a body is refused as such.
    let empty = server.http.create_upload(0).await;
    let empty = server.settled(empty.rsplit('/').next().unwrap()).await;
    assert_eq!(code(&empty), "empty", "{empty}");

    let again = server.http.ask(server.http.request("POST", &format!("/api/v1/videos/{id}/retry"))).await;
    assert_eq!(again.status, StatusCode::ACCEPTED, "{again:?}");
    assert_eq!(again.json()["error"], Value::Null, "{again:?}");
    assert_eq!(code(&server.settled(&id).await), "not_media");

    let deleted = server.http.ask(server.http.request("DELETE", &format!("/api/v1/videos/{id}"))).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert!(!server.source(&id).exists() && !server.folder(&id).exists());
    assert_eq!(server.http.get(&format!("/api/v1/videos/{id}")).await.problem(), "unknown_video");
}

#[tokio::test]
async fn a_picture_larger_than_any_screen_is_refused_by_name() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let check = async |name: &str, args: &str| {
        let huge = make(home.path(), name, args);
        let id = check_refused(&server, name, fs::read(huge).unwrap(), &["picture_too_large"]).await;
        let message = server.show(&id).await["error"]["message"].to_string();
        assert!(message.contains("16000"), "{message}");
    };
    // ffprobe goes on without its size, and gives up, respectively.
    check("square.avi", "-f lavfi -i color=s=16000x16000:r=1 -c:v mjpeg -q:v 31 -frames:v 1").await;
    check("wide.mp4", "-f lavfi -i color=s=16000x4000:r=1 -c:v libx264 -preset ultrafast -frames:v 1").await;
}

#[tokio::test]
async fn a_failure_of_the_server_itself_is_mended_by_a_retry() {
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");
    let mut server = Server::start(&data, &[("CLIPCUT_FFMPEG", "/nonexistent/ffmpeg")]);
    let id = server.upload(Clip::Short.file()).await;
    let document = server.settled(&id).await;
    assert_eq!(code(&document), "ffmpeg_missing", "{document}");
    assert!(document["error"]["message"].as_str().unwrap().contains("clipcut doctor"), "{document}");
    server.program.kill();

    let server = Server::start(&data, &[]);
    assert_eq!(server.show(&id).await["state"], "failed", "a restart is no retry");
    let again = server.http.ask(server.http.request("POST", &format!("/api/v1/videos/{id}/retry"))).await;
    assert_eq!(again.status, StatusCode::ACCEPTED, "{again:?}");
    server.ready(&id).await;
    let frames = count_frames(&server.http.url(&format!("/v/{id}/master.m3u8")));
    assert_eq!(frames, [Clip::Short.frames(); 2]);
}

#[tokio::test]
async fn a_file_that_breaks_off_in_its_data_is_kept_up_to_there() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let clip = make(
        home.path(),
        "front.mp4",
        "-f lavfi -i testsrc2=s=320x240:r=25:d=8 -f lavfi -i sine=440:d=8 -c:v libx264 -preset ultrafast -c:a aac \
         -movflags +faststart",
    );
    let clip = fs::read(clip).unwrap();
    let id = server.upload_bytes("clip.mp4", clip[..clip.len() / 2].to_vec()).await;
    let document = server.ready(&id).await;
    let seconds = document["duration_seconds"].as_f64().unwrap();
    assert!((3.0..5.5).contains(&seconds), "half of 8 s is listed as {seconds} s");
    let frames = count_frames(&server.http.url(&format!("/v/{id}/master.m3u8")));
    let listed = (seconds * 25.0).round() as u64;
    assert_eq!(frames, [listed; 2], "{document}");
}

#[tokio::test]
async fn names_are_only_words() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let long = format!("{}.mp4", "n".repeat(10_000));
    let cases = [
        ("../../../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot"),
        ("a\"b'c`$(reboot);d\n\r\0e.mp4", "a\"b'c`$(reboot);de"),
        ("<script>alert(1)</script>.mp4", "script>"),
        ("-i.mp4", "-i"),
        ("file:%252e%252e%2f.mp4", "file:%252e%252e%2f"),
        (&long, &long[..200]),
    ];
    for (name, title) in cases {
        let id = server.upload_bytes(name, vec![1; 2000]).await;
        let document = server.settled(&id).await;
        assert_eq!((&document["title"], code(&document)), (&json!(title), "not_media"), "{name:?}");
        assert!(server.source(&id).is_file(), "{name:?} went elsewhere");

        let metadata = format!("filename {}", BASE64_STANDARD.encode(name));
        let request = server.http.tus("POST", "/api/v1/uploads").header("Upload-Length", 10);
        let answer = server.http.ask(request.header("Upload-Metadata", metadata)).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{name:?}: {answer:?}");
        let id = answer.header("location").rsplit('/').next().unwrap().to_owned();
        assert_eq!(server.show(&id).await["title"], title, "{name:?}");
    }
    let mut sources = fs::read_dir(server.data.join("blobs/sources")).unwrap();
    assert!(sources.all(|e| e.unwrap().file_name().len() == "238cnvtyw5e16hfb".len()));
}

#[tokio::test]
async fn titles_and_descriptions_over_the_limit_are_refused_with_a_reason() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let id = server.upload_bytes("clip.mp4", vec![1; 2000]).await;
    let edit = async |body: &Value| {
        let request = server.http.request("PATCH", &format!("/api/v1/videos/{id}"));
        server.http.ask(request.header("Content-Type", "application/json").body(body.to_string())).await
    };
    let fits = "ü".repeat(200);
    let answer = edit(&json!({"title": fits})).await;
    assert_eq!((answer.status, answer.json()["title"].as_str()), (StatusCode::OK, Some(&*fits)));
    for body in [
        json!({"title": "ü".repeat(201)}),
        json!({"title": " \n "}),
        json!({"title": "a\u{0}b"}),
        json!({"description": "d".repeat(5001)}),
    ] {
        let answer = edit(&body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(answer.problem(), "invalid_text", "{body}");
    }
    let metadata = format!("title {}", BASE64_STANDARD.encode("t".repeat(201)));
    let request = server.http.tus("POST", "/api/v1/uploads").header("Upload-Length", 10);
    let answer = server.http.ask(request.header("Upload-Metadata", metadata)).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{answer:?}");
    assert_eq!(server.show(&id).await["title"], fits);
}
