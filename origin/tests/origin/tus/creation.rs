use super::*;

#[tokio::test]
async fn a_creation_may_bring_the_first_bytes_or_all() {
    let harness = Harness::open().await;
    let length = ("upload-length", "5");
    let some = harness.tus("POST", UPLOADS, &[length, BYTES], "012").await;
    assert_eq!((some.status.as_u16(), some.header("upload-offset")), (201, "3"));
    assert_ne!(some.header("upload-expires"), "");
    let at = some.header("location").to_owned();
    assert_eq!(harness.patch(&at, 3, "34").await.status, 204);
    assert_eq!(harness.source(&at).await.unwrap(), "01234");

    let all = harness.tus("POST", UPLOADS, &[length, BYTES], "01234").await;
    assert_eq!((all.status.as_u16(), all.header("upload-offset")), (201, "5"));
    assert_eq!(harness.source(all.header("location")).await.unwrap(), "01234");

    let wrong = harness.tus("POST", UPLOADS, &[length, ("content-type", "video/mp4")], "01234").await;
    wrong.is_problem(415, "unsupported_media_type");
}

#[tokio::test]
async fn a_file_without_bytes_is_whole_when_it_is_created() {
    let harness = Harness::open().await;
    let at = harness.create(0).await;
    assert_eq!(harness.offset(&at).await, "0");
    assert_eq!(harness.source(&at).await.unwrap(), "");
}

#[tokio::test]
async fn a_creation_needs_a_length_that_is_a_number() {
    let harness = Harness::open().await;
    harness.tus("POST", UPLOADS, &[], "").await.is_problem(400, "length_required");
    for length in ["-1", "+1", "1.5", "ten", ""] {
        harness
            .tus("POST", UPLOADS, &[("upload-length", length)], "")
            .await
            .is_problem(400, "invalid_number");
    }
    for extension in [("upload-defer-length", "1"), ("upload-concat", "partial")] {
        harness.tus("POST", UPLOADS, &[extension], "").await.is_problem(400, "unsupported_extension");
    }
}

#[tokio::test]
async fn a_length_over_the_limit_is_413_before_a_byte_is_read() {
    let harness = Harness::with(Config { max_upload_bytes: 100, ..Config::default() }).await;
    for length in ["101", "99999999999999999999999999"] {
        let answer = harness.tus("POST", UPLOADS, &[("upload-length", length)], "").await;
        answer.is_problem(413, "upload_too_large");
    }
    // The client waits to be asked for its bytes, and never is.
    let head = "POST /api/v1/uploads HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\nupload-length: 101\r\n\
                content-type: application/offset+octet-stream\r\ncontent-length: 101\r\nexpect: 100-continue\r\n\r\n";
    let mut stream = harness.raw(head).await;
    let mut start = [0; 12];
    stream.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 413");
    assert_eq!(harness.store.videos.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_length_that_the_disk_cannot_hold_is_507() {
    let harness = Harness::with(Config { max_upload_bytes: u64::MAX, ..Config::default() }).await;
    let length = (1_u64 << 60).to_string();
    harness
        .tus("POST", UPLOADS, &[("upload-length", &length)], "")
        .await
        .is_problem(507, "insufficient_storage");
}

#[tokio::test]
async fn the_largest_piece_is_named_where_a_client_looks_before_it_sends() {
    let harness = Harness::with(Config { upload_piece_bytes: Some(100), ..Config::default() }).await;
    let created = harness.tus("POST", UPLOADS, &[("upload-length", "500")], "").await;
    let found = harness.tus("HEAD", created.header("location"), &[], "").await;
    let asked = harness.tus("OPTIONS", UPLOADS, &[], "").await;
    for answer in [created, found, asked] {
        assert_eq!(answer.header("upload-limit"), "max-append-size=100");
    }
    let unlimited = Harness::open().await.tus("OPTIONS", UPLOADS, &[], "").await;
    assert_eq!(unlimited.header("upload-limit"), "");
}

#[tokio::test]
async fn metadata_names_the_video_and_comes_back() {
    let harness = Harness::open().await;
    let coded = |text: &str| STANDARD.encode(text);
    for (metadata, title) in [
        (format!("filename {}", coded("Dunes at dawn.mp4")), "Dunes at dawn"),
        (format!("name {},filetype {}", coded("dunes.mov"), coded("video/quicktime")), "dunes"),
        (format!("filename {},title {}", coded("a.mp4"), coded("Düne")), "Düne"),
        ("is_confidential".to_owned(), "Untitled"),
    ] {
        let headers = [("upload-length", "5"), ("upload-metadata", &metadata)];
        let answer = harness.tus("POST", UPLOADS, &headers, "").await;
        let at = answer.header("location");
        assert_eq!(harness.get(&format!("/api/v1/videos/{}", id(at))).await.json()["title"], title);
        let metadata = harness.tus("HEAD", at, &[], "").await.header("upload-metadata").to_owned();
        assert!(metadata.contains(&format!("title {}", coded(title))), "{metadata}");
    }
    for metadata in ["filename not/base64!", "filename YQ==,filename Yg=="] {
        let headers = [("upload-length", "5"), ("upload-metadata", metadata)];
        harness.tus("POST", UPLOADS, &headers, "").await.is_problem(400, "invalid_metadata");
    }
}

#[tokio::test]
async fn a_creation_whose_first_bytes_are_wrong_leaves_nothing() {
    let harness = Harness::open().await;
    let sum = format!("sha1 {}", STANDARD.encode(Sha1::digest("other")));
    let headers = [("upload-length", "5"), BYTES, ("upload-checksum", &sum)];
    harness.tus("POST", UPLOADS, &headers, "01234").await.is_problem(460, "checksum_mismatch");
    let longer = [("upload-length", "3"), BYTES];
    harness.tus("POST", UPLOADS, &longer, "01234").await.is_problem(413, "upload_too_large");
    assert_eq!(harness.store.videos.count().await.unwrap(), 0);
}
