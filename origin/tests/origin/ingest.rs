use origin::Config;

use crate::harness::Harness;

fn form(parts: &[(&str, &str)]) -> String {
    let part = |(head, value): &(&str, &str)| {
        format!("--edge\r\ncontent-disposition: form-data; {head}\r\n\r\n{value}\r\n")
    };
    parts.iter().map(part).collect::<String>() + "--edge--\r\n"
}

const FORM: &[(&str, &str)] = &[("content-type", "multipart/form-data; boundary=edge")];
const FILE: &str = "name=\"file\"; filename=\"Dunes at dawn.mp4\"";

async fn source(harness: &Harness, id: &serde_json::Value) -> String {
    let key = format!("sources/{}", id.as_str().unwrap());
    String::from_utf8(harness.store.blobs.read(&key).await.unwrap().unwrap().to_vec()).unwrap()
}

async fn nothing_is_left(harness: &Harness) {
    assert_eq!(harness.store.videos.count().await.unwrap(), 0);
    assert!(harness.store.blobs.children("sources").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_raw_body_becomes_a_video() {
    let harness = Harness::open().await;
    let answer = harness.ask("POST", "/api/v1/videos?title=The%20dunes&description=wide", &[], "bytes").await;
    assert_eq!(answer.status, 201);
    let document = answer.json();
    assert_eq!(answer.header("location"), format!("/api/v1/videos/{}", document["id"].as_str().unwrap()));
    assert_eq!(
        (document["title"].as_str(), document["description"].as_str()),
        (Some("The dunes"), Some("wide"))
    );
    assert_eq!(document["state"], "uploaded");
    assert_eq!(source(&harness, &document["id"]).await, "bytes");
}

#[tokio::test]
async fn a_form_may_have_its_words_before_and_after_the_file() {
    let harness = Harness::open().await;
    let before = form(&[("name=\"title\"", "First"), (FILE, "abc")]);
    let after = form(&[(FILE, "defg"), ("name=\"title\"", "Then"), ("name=\"description\"", "more")]);
    let alone = form(&[(FILE, "h")]);
    for (body, title, description, bytes) in
        [(before, "First", "", "abc"), (after, "Then", "more", "defg"), (alone, "Dunes at dawn", "", "h")]
    {
        let answer = harness.ask("POST", "/api/v1/videos", FORM, body).await;
        assert_eq!(answer.status, 201);
        let document = answer.json();
        assert_eq!(document["title"], title);
        assert_eq!(document["description"], description);
        assert_eq!(source(&harness, &document["id"]).await, bytes);
    }
}

#[tokio::test]
async fn what_is_not_a_whole_video_leaves_nothing() {
    let harness = Harness::open().await;
    let cut = form(&[(FILE, "abc")]).replace("--edge--\r\n", "");
    for (body, code) in [
        (form(&[]), "file_required"),
        (form(&[("name=\"title\"", "No file")]), "file_required"),
        (form(&[(FILE, "")]), "file_required"),
        (form(&[(FILE, "a"), (FILE, "b")]), "one_file_expected"),
        (cut, "body_broken"),
    ] {
        harness.ask("POST", "/api/v1/videos", FORM, body).await.is_problem(400, code);
        nothing_is_left(&harness).await;
    }
    harness.ask("POST", "/api/v1/videos", &[], "").await.is_problem(400, "file_required");
    let late = form(&[(FILE, "a"), ("name=\"title\"", &"x".repeat(201))]);
    harness.ask("POST", "/api/v1/videos", FORM, late).await.is_problem(422, "invalid_text");
    nothing_is_left(&harness).await;
}

#[tokio::test]
async fn a_file_in_a_field_of_another_name_is_named_whatever_its_size() {
    let harness = Harness::open().await;
    for bytes in [1, 40_000, 3_000_000] {
        let body = form(&[("name=\"video\"; filename=\"a.mp4\"", &"x".repeat(bytes))]);
        harness.ask("POST", "/api/v1/videos", FORM, body).await.is_problem(400, "file_required");
    }
    // A field that is nobody's business may be as long as it likes.
    let body = form(&[("name=\"csrf\"", &"x".repeat(100_000)), (FILE, "abc")]);
    assert_eq!(harness.ask("POST", "/api/v1/videos", FORM, body).await.status, 201);
}

#[tokio::test]
async fn a_files_name_is_decoded() {
    let harness = Harness::open().await;
    for (written, title) in [
        ("filename=\"say %22hi%22 100%.mp4\"", "say \"hi\" 100%"),
        ("filename=\"x.mp4\"; filename*=UTF-8''na%C3%AFve.mp4", "naïve"),
        ("filename=\"exe\u{202e}gpj.mp4\"", "exegpj"),
    ] {
        let body = form(&[(&format!("name=\"file\"; {written}"), "abc")]);
        let answer = harness.ask("POST", "/api/v1/videos", FORM, body).await;
        assert_eq!(answer.json()["title"], title, "{written}");
    }
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_leaves_nothing() {
    let harness = Harness::with(Config { max_upload_bytes: 8, ..Config::default() }).await;
    harness.ask("POST", "/api/v1/videos", &[], "012345678").await.is_problem(413, "upload_too_large");
    harness
        .ask("POST", "/api/v1/videos", FORM, form(&[(FILE, "012345678")]))
        .await
        .is_problem(413, "upload_too_large");
    // Without a length it shows while it comes.
    let head =
        "POST /api/v1/videos HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n";
    let mut stream = harness.raw(&format!("{head}5\r\n01234\r\n4\r\n5678\r\n0\r\n\r\n")).await;
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    nothing_is_left(&harness).await;
    assert_eq!(harness.ask("POST", "/api/v1/videos", &[], "01234567").await.status, 201);
}

#[tokio::test]
async fn a_file_that_is_no_media_is_415_as_soon_as_its_head_shows_it() {
    let harness = Harness::open().await;
    harness.ask("POST", "/api/v1/videos", &[], "PK\u{3}\u{4}").await.is_problem(415, "not_media");
    harness
        .ask("POST", "/api/v1/videos", FORM, form(&[(FILE, "%PDF-1.7")]))
        .await
        .is_problem(415, "not_media");
    let head = "POST /api/v1/videos HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n";
    // The rest is never sent.
    let mut stream = harness.raw(&format!("{head}{}", "words ".repeat(1000))).await;
    let mut status = [0; 12];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut status).await.unwrap();
    assert_eq!(&status, b"HTTP/1.1 415");
    nothing_is_left(&harness).await;
    // A text so short that ffmpeg may as well refuse it.
    assert_eq!(harness.ask("POST", "/api/v1/videos", &[], "words").await.status, 201);
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_nothing() {
    let harness = Harness::open().await;
    let mut signals = harness.store.signals.subscribe();
    let head = "POST /api/v1/videos HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n";
    let stream = harness.raw(&format!("{head}some of it")).await;
    let store::Signal::Changed(id) = signals.recv().await.unwrap() else { panic!("nothing began") };
    assert!(harness.store.videos.get(&id).await.unwrap().is_some());
    drop(stream);
    while signals.recv().await.unwrap() != store::Signal::Deleted(id.clone()) {}
    nothing_is_left(&harness).await;
}
