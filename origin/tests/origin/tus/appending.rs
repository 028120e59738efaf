use tokio::net::TcpStream;

use super::*;

#[tokio::test]
async fn an_upload_in_pieces_becomes_the_videos_source() {
    let harness = Harness::open().await;
    let at = harness.create(10).await;
    let head = harness.tus("HEAD", &at, &[], "").await;
    assert_eq!((head.header("upload-offset"), head.header("upload-length")), ("0", "10"));
    assert_eq!(head.header("cache-control"), "no-store");

    let first = harness.patch(&at, 0, "01234").await;
    assert_eq!((first.status.as_u16(), first.header("upload-offset")), (204, "5"));
    assert_ne!(first.header("upload-expires"), "");
    let document = harness.get(&format!("/api/v1/videos/{}", id(&at))).await.json();
    assert_eq!(document["state"], "uploading");
    assert_eq!(document["upload"], serde_json::json!({ "bytes_stored": 5, "bytes_total": 10 }));

    let second = harness.patch(&at, 5, "56789").await;
    assert_eq!((second.status.as_u16(), second.header("upload-offset")), (204, "10"));
    assert_eq!(second.header("upload-expires"), "");
    assert_eq!(harness.source(&at).await.unwrap(), "0123456789");
    let head = harness.tus("HEAD", &at, &[], "").await;
    assert_eq!((head.header("upload-offset"), head.header("upload-length")), ("10", "10"));
    let document = harness.get(&format!("/api/v1/videos/{}", id(&at))).await.json();
    assert_eq!((&document["state"], &document["upload"]), (&"uploaded".into(), &serde_json::Value::Null));
    // The packager has something to do.
    let lease = Duration::from_secs(1);
    assert!(harness.store.jobs.claim(&[store::JobKind::Prepare], "test", lease).await.unwrap().is_some());
}

#[tokio::test]
async fn bytes_at_the_wrong_offset_are_409_and_change_nothing() {
    let harness = Harness::open().await;
    let at = harness.create(10).await;
    harness.patch(&at, 0, "01234").await;
    for offset in [0, 4, 6] {
        harness.patch(&at, offset, "xxx").await.is_problem(409, "wrong_offset");
    }
    assert_eq!(harness.offset(&at).await, "5");
    harness.tus("PATCH", &at, &[BYTES], "x").await.is_problem(400, "offset_required");
    harness
        .tus("PATCH", &at, &[BYTES, ("upload-offset", "five")], "x")
        .await
        .is_problem(400, "invalid_number");
}

#[tokio::test]
async fn bytes_of_another_type_are_415() {
    let harness = Harness::open().await;
    let at = harness.create(10).await;
    let headers = [("upload-offset", "0"), ("content-type", "application/octet-stream")];
    harness.tus("PATCH", &at, &headers, "x").await.is_problem(415, "unsupported_media_type");
    assert_eq!(harness.offset(&at).await, "0");
}

#[tokio::test]
async fn more_bytes_than_promised_are_413_and_change_nothing() {
    let harness = Harness::open().await;
    let at = harness.create(5).await;
    harness.patch(&at, 0, "01").await;
    harness.patch(&at, 2, "2345").await.is_problem(413, "upload_too_large");
    assert_eq!(harness.offset(&at).await, "2");
    // The same without a length, where it shows only while the bytes come.
    let head = format!(
        "PATCH {at} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\nupload-offset: 2\r\nconnection: close\r\n\
         content-type: application/offset+octet-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    );
    let mut stream = harness.raw(&format!("{head}2\r\n23\r\n2\r\n45\r\n0\r\n\r\n")).await;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(harness.offset(&at).await, "2");
}

#[tokio::test]
async fn bytes_after_the_end_are_409_and_nothing_after_the_end_is_fine() {
    let harness = Harness::open().await;
    let at = harness.create(5).await;
    harness.patch(&at, 0, "01234").await;
    let again = harness.patch(&at, 5, "").await;
    assert_eq!((again.status.as_u16(), again.header("upload-offset")), (204, "5"));
    harness.patch(&at, 5, "x").await.is_problem(409, "wrong_offset");
    harness.patch(&at, 0, "01234").await.is_problem(409, "wrong_offset");
    assert_eq!(harness.source(&at).await.unwrap(), "01234");
}

/// Begins to send ten bytes to `at`; the server has given the right to write them.
async fn begun(harness: &Harness, at: &str) -> TcpStream {
    let head = format!(
        "PATCH {at} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\nconnection: close\r\n\
         content-type: application/offset+octet-stream\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n"
    );
    let mut stream = harness.raw(&head).await;
    // The server asks for the bytes once the first has the right to write.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}

#[tokio::test]
async fn of_two_patches_at_once_one_wins_and_the_other_is_423() {
    let harness = Harness::open().await;
    let at = harness.create(10).await;
    let mut first = begun(&harness, &at).await;
    let mut second = std::pin::pin!(harness.patch(&at, 0, "xxxxxxxxxx"));
    let mut bytes = b"0123456789".iter();
    let second = loop {
        tokio::select! {
            answer = &mut second => break answer,
            () = tokio::time::sleep(Duration::from_millis(300)) => {
                first.write_all(std::slice::from_ref(bytes.next().unwrap())).await.unwrap();
            }
        }
    };
    second.is_problem(423, "upload_locked");

    first.write_all(bytes.as_slice()).await.unwrap();
    let mut answer = String::new();
    first.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    assert_eq!(harness.source(&at).await.unwrap(), "0123456789");
}

#[tokio::test]
async fn a_silent_upload_gives_way_to_one_that_resumes() {
    let harness = Harness::open().await;
    let at = harness.create(10).await;
    let mut first = begun(&harness, &at).await;
    // And no more comes, as on a connection that broke without a word.
    first.write_all(b"01234").await.unwrap();
    let early = harness.patch(&at, 0, "01234").await;
    early.is_problem(409, "wrong_offset");
    assert_eq!(early.header("upload-offset"), "5");
    let second = harness.patch(&at, 5, "56789").await;
    assert_eq!((second.status.as_u16(), second.header("upload-offset")), (204, "10"));
    assert_eq!(harness.source(&at).await.unwrap(), "0123456789");
    let mut answer = String::new();
    first.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 423 ") && answer.contains("retry-after: 1"), "{answer}");
}

#[tokio::test]
async fn a_cut_connection_resumes_at_the_stored_offset() {
    let harness = Harness::open().await;
    // Not a multiple of anything that is buffered on the way.
    let (kept, whole) = (700_001, 1_500_000);
    let bytes: Bytes = (0..whole).map(|n: u32| (n % 251) as u8).collect::<Vec<_>>().into();
    let at = harness.create(u64::from(whole)).await;
    let head = format!(
        "PATCH {at} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\n\
         content-type: application/offset+octet-stream\r\ncontent-length: {whole}\r\n\r\n"
    );
    let mut stream = harness.raw(&head).await;
    stream.write_all(&bytes[..kept]).await.unwrap();
    drop(stream);
    harness.until_offset(&at, &kept.to_string()).await;
    let rest = async {
        loop {
            let answer = harness.patch(&at, kept as u64, bytes.slice(kept..)).await;
            // The bytes are stored a moment before the right to write is given back.
            if answer.status != 423 {
                return answer;
            }
        }
    };
    let answer = tokio::time::timeout(Duration::from_secs(10), rest).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.header("upload-offset")), (204, &*whole.to_string()));
    assert!(harness.source(&at).await.unwrap() == bytes, "the source is not what was sent");
}

#[tokio::test]
async fn an_upload_whose_server_was_killed_before_it_was_finished_is_finished_when_its_client_asks() {
    let harness = Harness::open().await;
    let at = harness.create(5).await;
    let mut append = harness.store.uploads.append(&id(&at), false).await.unwrap().unwrap();
    append.write(b"01234").await.unwrap();
    append.sync().await.unwrap();
    drop(append);
    assert_eq!(harness.offset(&at).await, "5");
    assert_eq!(harness.source(&at).await.unwrap(), "01234");
    let document = harness.get(&format!("/api/v1/videos/{}", id(&at))).await.json();
    assert_eq!(document["state"], "uploaded");
}

#[tokio::test]
async fn a_video_that_is_deleted_under_an_upload_is_gone_for_it() {
    let harness = Harness::open().await;
    // As the last piece and as one of several.
    for length in [10, 20] {
        let at = harness.create(length).await;
        let head = format!(
            "PATCH {at} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\nconnection: close\r\n\
             content-type: application/offset+octet-stream\r\ncontent-length: 10\r\nexpect: 100-continue\r\n\r\n"
        );
        let mut stream = harness.raw(&head).await;
        let mut go_on = [0; 25];
        stream.read_exact(&mut go_on).await.unwrap();
        let path = format!("/api/v1/videos/{}", id(&at));
        assert_eq!(harness.ask("DELETE", &path, &[], "").await.status, 204);
        stream.write_all(b"0123456789").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 410 "), "{answer}");
        assert!(harness.source(&at).await.is_none());
    }
}

#[tokio::test]
async fn a_file_that_is_no_media_is_415_as_soon_as_its_head_shows_it() {
    let harness = Harness::open().await;
    let length = 100_000_000;
    let text = "These are words.\n".repeat(300);
    for head in
        [&b"%PDF-1.7\n"[..], b"PK\x03\x04\x14\0", b"\x7fELF\x02\x01", b"\xff\xd8\xff\xe0", text.as_bytes()]
    {
        let at = harness.create(length).await;
        let request = format!(
            "PATCH {at} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\n\
             content-type: application/offset+octet-stream\r\ncontent-length: {length}\r\n\r\n"
        );
        let mut stream = harness.raw(&request).await;
        stream.write_all(head).await.unwrap();
        // Nothing more is sent: the answer is to these bytes alone.
        let mut status = [0; 12];
        stream.read_exact(&mut status).await.unwrap();
        assert_eq!(&status, b"HTTP/1.1 415", "{}", head.escape_ascii());
        assert_eq!(harness.tus("HEAD", &at, &[], "").await.status, 410);
    }
    let at = harness.create(9).await;
    let answer = harness.patch(&at, 0, "%PDF-1.7\n").await;
    answer.is_problem(415, "not_media");
    assert_eq!(
        answer.json()["detail"],
        "This is a PDF document, not a video and not a sound. Choose another file."
    );
    assert_eq!(harness.store.videos.count().await.unwrap(), 0);
    assert!(harness.store.blobs.children("sources").await.unwrap().is_empty());
}
