//! Files that are no videos, videos that cannot be shown, and files that are missing.

use std::path::Path;

use packager::{Error, ffmpeg::Input, probe::probe};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::{look, programs, sources::make};

pub(crate) async fn refused(path: &Path, code: &str) {
    match look(path).await {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.code(), code, "{refusal}"),
        Err(e) => panic!("{}: {e}", path.display()),
        Ok((facts, _)) => panic!("{}: read as {facts:?}", path.display()),
    }
}

#[tokio::test]
async fn a_playlist_named_mp4_reads_nothing() {
    let source = make("{picture} {h264} secret.ts");
    let named = |name: &str, text: &str| {
        let path = source.path.with_file_name(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let segment = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.ts\n#EXT-X-ENDLIST\n";
    refused(&named("list.mp4", segment), "not_media").await;
    let variant = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlist.m3u8\n";
    refused(&named("master.mp4", variant), "not_media").await;
    refused(&named("script.mp4", "ffconcat version 1.0\nfile secret.ts\n"), "not_media").await;
    let sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n";
    refused(&named("call.mp4", sdp), "not_media").await;
    let mpd = "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\"></MPD>";
    refused(&named("manifest.mp4", mpd), "not_media").await;
}

#[tokio::test]
async fn a_playlist_behind_an_address_reaches_no_other() {
    // A listener that reports each request line, and answers everything with a playlist of itself.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let text = format!(
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://{address}/other.ts\n#EXTINF:1,\nfile:/etc/passwd\n#EXT-X-ENDLIST\n"
    );
    let len = text.len() as u64;
    let (requests, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let answers = tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut line = String::new();
            BufReader::new(&mut stream).read_line(&mut line).await.unwrap();
            requests.send(line).unwrap();
            let answer =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {len}\r\nConnection: close\r\n\r\n{text}");
            // A reader that has seen enough goes away.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    let input = Input::Loopback { url: format!("http://{address}/secret/source"), len };
    let answer = probe(programs("ffprobe"), &input).await;
    answers.abort();
    assert!(matches!(answer, Err(Error::Refused(_))), "{answer:?}");
    let mut times = 0;
    while let Ok(line) = asked.try_recv() {
        assert!(line.starts_with("GET /secret/source "), "{line}");
        times += 1;
    }
    assert!(times > 0);
}

#[tokio::test]
async fn what_cannot_be_shown_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let named = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    refused(&named("empty.mp4", b""), "empty").await;
    refused(&named("letter.mp4", b"Dear reader, this is a letter and no film.\n"), "not_media").await;
    refused(
        &named("picture.mp4", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x02\0\0\0"),
        "not_media",
    )
    .await;
    let film = make("{picture} {h264} a.mp4");
    let bytes = std::fs::read(&film.path).unwrap();
    refused(&named("half.mp4", &bytes[..bytes.len() / 2]), "cut_off").await;
    let key = "76a6c65c5ea762046bd749a2e632ccbb -encryption_kid a7e61c373e219033c21091fa607bf3b8";
    let hidden = format!("{{picture}} {{h264}} -encryption_scheme cenc-aes-ctr -encryption_key {key} a.mp4");
    refused(&make(&hidden).path, "encrypted").await;
    let magic = make("{picture} -c:v magicyuv -pix_fmt gbrp a.avi");
    refused(&magic.path, "unsupported_codec").await;
    let words = make("-i words.srt -c:s srt a.mkv");
    refused(&words.path, "nothing_to_play").await;
    let wide = make("-f lavfi -i color=s=8320x16:d=0.1 -c:v mjpeg -pix_fmt yuvj420p a.mkv");
    refused(&wide.path, "picture_too_large").await;
    let fast = make("-f lavfi -i testsrc2=s=32x32:r=1200:d=0.1 -c:v libx264 -preset ultrafast a.mp4");
    refused(&fast.path, "frame_rate_too_high").await;
    let many = format!("{{tone}} {} -c:a aac a.mp4", "-map 0 ".repeat(17));
    refused(&make(&many).path, "too_many_tracks").await;
}

#[tokio::test]
async fn a_missing_source_is_our_fault_and_not_the_persons() {
    let answer = look(Path::new("nowhere/source.mp4")).await;
    assert!(matches!(answer, Err(Error::Io(_))), "{answer:?}");
}

#[tokio::test]
async fn a_missing_ffprobe_is_named() {
    let source = make("{picture} {h264} a.mp4");
    let answer = probe(programs("no-such-ffprobe"), &source.path.as_path().into()).await;
    assert!(answer.unwrap_err().to_string().contains("no-such-ffprobe"));
}
