use std::{io::Read, time::Duration};

use http_body_util::BodyExt;
use origin::Config;
use store::{Claim, Failure, JobClass, JobKind, Segment};

use crate::harness::Harness;

pub(crate) const SHORT: Duration = Duration::from_millis(100);

pub(crate) async fn publish(harness: &Harness, id: &store::VideoId, rendition: &str, number: u32) {
    harness.put(id, &format!("{rendition}/{number}.m4s"), "segment").await;
    let segment = Segment { number, facts: "{}".to_owned() };
    harness.store.renditions.publish(id, rendition, &segment).await.unwrap();
}

#[tokio::test]
async fn a_segment_is_immutable_and_visible_to_any_page() {
    let harness = Harness::open().await;
    let id = harness.planned(2).await;
    harness.put(&id, "720p/0.m4s", "0123456789").await;
    let answer = harness.get(&format!("/v/{id}/720p/0.m4s")).await;
    assert_eq!((answer.status.as_u16(), &answer.body[..]), (200, &b"0123456789"[..]));
    assert_eq!(answer.header("content-type"), "video/mp4");
    assert_eq!(answer.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    for name in ["Content-Length", "Content-Range", "ETag"] {
        assert!(answer.header("access-control-expose-headers").contains(name), "{name}");
    }
    assert!(answer.header("etag").starts_with('"'), "weak: {}", answer.header("etag"));
    assert_eq!(answer.header("content-encoding"), "");
}

#[tokio::test]
async fn ranges_and_preconditions_are_answered_from_the_blob() {
    let harness = Harness::open().await;
    let id = harness.planned(1).await;
    harness.put(&id, "720p/0.m4s", "0123456789").await;
    let path = format!("/v/{id}/720p/0.m4s");
    let etag = harness.get(&path).await.header("etag").to_owned();

    let part = harness.ask("GET", &path, &[("range", "bytes=2-4")], "").await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &b"234"[..]));
    assert_eq!(part.header("content-range"), "bytes 2-4/10");
    let tail = harness.ask("GET", &path, &[("range", "bytes=-3"), ("if-range", &etag)], "").await;
    assert_eq!((tail.status.as_u16(), &tail.body[..]), (206, &b"789"[..]));
    let newer = harness.ask("GET", &path, &[("range", "bytes=2-4"), ("if-range", "\"old\"")], "").await;
    assert_eq!((newer.status.as_u16(), newer.body.len()), (200, 10));
    let behind = harness.ask("GET", &path, &[("range", "bytes=10-")], "").await;
    behind.is_problem(416, "range_not_satisfiable");
    assert_eq!(behind.header("content-range"), "bytes */10");
    let known = harness.ask("GET", &path, &[("if-none-match", &etag)], "").await;
    assert_eq!((known.status.as_u16(), known.header("etag"), known.body.len()), (304, &*etag, 0));
    harness.ask("GET", &path, &[("if-match", "\"old\"")], "").await.is_problem(412, "precondition_failed");
    let head = harness.ask("HEAD", &path, &[], "").await;
    assert_eq!((head.status.as_u16(), head.header("content-length"), head.body.len()), (200, "10", 0));
}

#[tokio::test]
async fn playlists_are_short_lived_and_gzipped_on_request() {
    let harness = Harness::open().await;
    let id = harness.planned(1).await;
    let text = "#EXTM3U\n".repeat(50);
    harness.put(&id, "master.m3u8", &text).await;
    let path = format!("/v/{id}/master.m3u8");
    let plain = harness.get(&path).await;
    assert_eq!((plain.header("content-encoding"), &plain.body[..]), ("", text.as_bytes()));
    assert_eq!(plain.header("content-type"), "application/vnd.apple.mpegurl");
    assert_eq!(plain.header("cache-control"), "public, max-age=2");
    let packed = harness.ask("GET", &path, &[("accept-encoding", "gzip")], "").await;
    assert_eq!((packed.header("content-encoding"), packed.header("vary")), ("gzip", "accept-encoding"));
    assert_ne!(packed.header("etag"), plain.header("etag"));
    let mut unpacked = String::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_string(&mut unpacked).unwrap();
    assert_eq!(unpacked, text);
}

#[tokio::test]
async fn a_small_poster_is_the_whole_one_where_there_is_no_other() {
    let harness = Harness::open().await;
    let id = harness.planned(1).await;
    let path = format!("/v/{id}/poster-640.jpg");
    harness.get(&path).await.is_problem(404, "unknown_file");
    harness.put(&id, "poster.jpg", "whole").await;
    let whole = harness.get(&path).await;
    assert_eq!((whole.header("content-type"), &whole.body[..]), ("image/jpeg", &b"whole"[..]));
    harness.put(&id, "poster-640.jpg", "small").await;
    assert_eq!(&harness.get(&path).await.body[..], b"small");
    assert_eq!(&harness.get(&format!("/v/{id}/poster.jpg")).await.body[..], b"whole");
}

#[tokio::test]
async fn an_unknown_video_differs_from_a_missing_segment() {
    let harness = Harness::open().await;
    let id = harness.planned(2).await;
    harness.get("/v/0123456789abcdef/master.m3u8").await.is_problem(404, "unknown_video");
    harness.get("/v/0123456789abcdef/nonsense").await.is_problem(404, "unknown_video");
    harness.get("/v/nonsense/master.m3u8").await.is_problem(404, "unknown_video");
    harness.get(&format!("/v/{id}/nonsense")).await.is_problem(404, "unknown_file");
    harness.get(&format!("/v/{id}/720p/../720p/0.m4s")).await.is_problem(404, "unknown_file");
    harness.get(&format!("/v/{id}/master.m3u8")).await.is_problem(404, "unknown_file");
    harness.get(&format!("/v/{id}/1080p/0.m4s")).await.is_problem(404, "unknown_file");
    harness.get(&format!("/v/{id}/720p/2.m4s")).await.is_problem(404, "unknown_segment");
    harness.get(&format!("/v/{id}/captions/en/0.vtt")).await.is_problem(404, "unknown_file");
    harness.get(&format!("/v/{id}/captions/en.srt")).await.is_problem(404, "unknown_file");
    harness.get("/v/0123456789abcdef/captions/en/0.vtt").await.is_problem(404, "unknown_video");
}

#[tokio::test]
async fn a_video_that_is_not_prepared_has_retry_after() {
    let harness = Harness::open().await;
    let id = harness.uploaded("New").await;
    let answer = harness.get(&format!("/v/{id}/master.m3u8")).await;
    answer.is_problem(503, "video_not_prepared_yet");
    assert_eq!(answer.header("retry-after"), "2");
}

#[tokio::test]
async fn a_player_that_comes_before_the_plan_waits_for_it() {
    let harness = Harness::open().await;
    let id = harness.uploaded("New").await;
    for (path, number) in [("720p/init.mp4", 0), ("720p/1.m4s", 1)] {
        let path = format!("/v/{id}/{path}");
        let asked = harness.get(&path);
        tokio::pin!(asked);
        assert!(tokio::time::timeout(SHORT, &mut asked).await.is_err(), "{path} was refused");
        if number == 0 {
            harness.plan(&id, 2).await;
            harness.put(&id, "720p/init.mp4", "init").await;
        }
        publish(&harness, &id, "720p", number).await;
        assert_eq!(asked.await.status, 200, "{path}");
    }
    let harness = Harness::with(Config { segment_wait: SHORT, ..Config::default() }).await;
    let id = harness.uploaded("New").await;
    harness.get(&format!("/v/{id}/720p/0.m4s")).await.is_problem(503, "video_not_prepared_yet");
    harness.plan(&id, 2).await;
    harness.get(&format!("/v/{id}/144p/0.m4s")).await.is_problem(404, "unknown_file");
}

#[tokio::test]
async fn a_request_for_a_planned_segment_is_answered_when_it_is_published() {
    let harness = Harness::open().await;
    let id = harness.planned(2).await;
    for (path, rendition, number) in [("720p/1.m4s", "720p", 1), ("audio/init.mp4", "audio", 0)] {
        let path = format!("/v/{id}/{path}");
        let asked = harness.get(&path);
        tokio::pin!(asked);
        assert!(
            tokio::time::timeout(SHORT, &mut asked).await.is_err(),
            "{path} was answered before it was there"
        );
        // The publication of another segment must not end the wait.
        publish(&harness, &id, "720p", 0).await;
        assert!(
            tokio::time::timeout(SHORT, &mut asked).await.is_err(),
            "{path} was answered before it was there"
        );
        harness.put(&id, &format!("{rendition}/init.mp4"), "init").await;
        publish(&harness, &id, rendition, number).await;
        assert_eq!(asked.await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn a_segment_is_sent_as_it_is_encoded() {
    let harness = Harness::open().await;
    let id = harness.planned(2).await;
    let (path, key) = (format!("/v/{id}/720p/1.m4s"), format!("{}/720p/1.m4s", id.folder()));
    let asked = harness.begin("GET", &path, &[("range", "bytes=2-")], "");
    tokio::pin!(asked);
    assert!(tokio::time::timeout(SHORT, &mut asked).await.is_err(), "it was answered before it was there");
    let writer = harness.store.chunks.begin(&key, "first".into());
    let answer = asked.await;
    assert_eq!(answer.status(), 200);
    let fields = answer.headers();
    assert_eq!(fields["cache-control"], "public, max-age=31536000, immutable");
    assert!(!fields.contains_key("content-length") && !fields.contains_key("etag"), "{fields:?}");
    let mut body = answer.into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(first, "first", "before the rest is there");
    writer.push(", second".into());
    // A late reader gets all of it, too.
    let late = harness.begin("GET", &path, &[], "").await;
    writer.end(", last".into());
    assert_eq!(body.collect().await.unwrap().to_bytes(), ", second, last");
    assert_eq!(late.into_body().collect().await.unwrap().to_bytes(), "first, second, last");
}

#[tokio::test]
async fn an_init_segment_does_not_wait_for_the_first_segment() {
    let harness = Harness::open().await;
    let id = harness.planned(2).await;
    let path = format!("/v/{id}/720p/init.mp4");
    let asked = harness.get(&path);
    tokio::pin!(asked);
    assert!(tokio::time::timeout(SHORT, &mut asked).await.is_err(), "it was answered before it was there");
    harness.put(&id, "720p/init.mp4", "init").await;
    let _growing = harness.store.chunks.begin(&format!("{}/720p/0.m4s", id.folder()), "first".into());
    assert_eq!(asked.await.body, "init");
}

#[tokio::test]
async fn a_segment_whose_encoder_ends_goes_on_with_what_is_published() {
    let harness = Harness::open().await;
    let id = harness.planned(2).await;
    for (number, published, goes_on) in [(0, "segment", true), (1, "another", false)] {
        let key = format!("{}/720p/{number}.m4s", id.folder());
        let writer = harness.store.chunks.begin(&key, "seg".into());
        let answer = harness.begin("GET", &format!("/v/{id}/720p/{number}.m4s"), &[], "").await;
        drop(writer);
        let body = answer.into_body().collect();
        tokio::pin!(body);
        assert!(tokio::time::timeout(SHORT, &mut body).await.is_err(), "the next encoder was not waited for");
        harness.store.blobs.put(&key, published.as_bytes()).await.unwrap();
        match body.await {
            Ok(whole) => assert_eq!((goes_on, whole.to_bytes()), (true, published.into())),
            Err(_) => assert!(!goes_on, "{published} does not follow"),
        }
    }
}

#[tokio::test]
async fn a_segment_whose_encoder_ends_for_good_breaks_off() {
    let harness = Harness::with(Config { segment_wait: SHORT, ..Config::default() }).await;
    let id = harness.planned(2).await;
    let writer = harness.store.chunks.begin(&format!("{}/720p/0.m4s", id.folder()), "first".into());
    let answer = harness.begin("GET", &format!("/v/{id}/720p/0.m4s"), &[], "").await;
    drop(writer);
    assert!(answer.into_body().collect().await.is_err(), "it looks whole");
}

#[tokio::test]
async fn a_segment_that_takes_too_long_is_503_and_not_kept() {
    let harness = Harness::with(Config { segment_wait: SHORT, ..Config::default() }).await;
    let id = harness.planned(2).await;
    let answer = harness.get(&format!("/v/{id}/720p/1.m4s")).await;
    answer.is_problem(503, "segment_not_encoded_yet");
    assert_eq!(answer.header("retry-after"), "1");
}

#[tokio::test]
async fn a_request_has_its_segment_encoded_next_and_a_prefetch_does_not() {
    let harness = Harness::with(Config { segment_wait: SHORT, ..Config::default() }).await;
    let id = harness.planned(20).await;
    let claim = Claim { owner: "encoder", lease: Duration::from_mins(1) };
    let urgent =
        async || harness.store.jobs.claim_of(&JobClass::URGENT, &[JobKind::Video], &claim).await.unwrap();
    let path = format!("/v/{id}/720p/10.m4s");
    let prefetch = [("sec-purpose", "prefetch")];
    let answer = harness.ask("GET", &path, &prefetch, "").await;
    answer.is_problem(503, "segment_not_encoded_yet");
    assert_eq!(answer.header("cdn-cache-control"), "", "no edge keeps it from the viewer who comes next");
    assert!(urgent().await.is_none());
    harness.get(&path).await.is_problem(503, "segment_not_encoded_yet");
    assert_eq!(urgent().await.unwrap().segments, 10..11);
    assert_eq!(urgent().await.unwrap().segments, 11..13, "ahead of the viewer");
    assert!(urgent().await.is_none());
}

#[tokio::test]
async fn a_viewer_who_asks_for_everything_gets_no_more_of_the_encoders() {
    // Long enough to say what is wanted.
    let config = Config { segment_wait: Duration::from_millis(100), ..Config::default() };
    let harness = Harness::with(config).await;
    let mut videos = Vec::new();
    for _ in 0..30 {
        videos.push(harness.planned(20).await);
    }
    for id in &videos {
        harness.get(&format!("/v/{id}/720p/10.m4s")).await.is_problem(503, "segment_not_encoded_yet");
    }
    let claim = Claim { owner: "encoder", lease: Duration::from_mins(1) };
    let mut raised = 0;
    while let Some(job) =
        harness.store.jobs.claim_of(&JobClass::URGENT, &[JobKind::Video], &claim).await.unwrap()
    {
        // The others are ahead of the viewer.
        raised += u32::from(job.segments.start == 10);
    }
    assert!((1..=20).contains(&raised), "{raised}");
}

#[tokio::test]
async fn a_wait_ends_when_the_video_fails_or_goes() {
    let harness = Harness::open().await;
    let failing = harness.planned(2).await;
    let path = format!("/v/{failing}/720p/1.m4s");
    let asked = harness.get(&path);
    tokio::pin!(asked);
    assert!(tokio::time::timeout(SHORT, &mut asked).await.is_err());
    let failure = Failure { code: "decode_failed".to_owned(), message: "The file is damaged.".to_owned() };
    harness.fail(&failing, &failure).await;
    let answer = asked.await;
    answer.is_problem(410, "video_failed");
    assert!(answer.json()["detail"].as_str().unwrap().contains("The file is damaged."));

    let going = harness.planned(2).await;
    let path = format!("/v/{going}/720p/1.m4s");
    let asked = harness.get(&path);
    tokio::pin!(asked);
    assert!(tokio::time::timeout(SHORT, &mut asked).await.is_err());
    harness.store.delete(&going).await.unwrap();
    asked.await.is_problem(404, "unknown_video");
}

#[tokio::test]
async fn playback_takes_get_and_head_alone() {
    let harness = Harness::open().await;
    let id = harness.planned(1).await;
    let answer = harness.ask("POST", &format!("/v/{id}/master.m3u8"), &[], "x").await;
    answer.is_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET,HEAD");
}

#[tokio::test]
async fn a_page_may_ask_for_ranges() {
    let harness = Harness::open().await;
    let asked = [
        ("origin", "https://page.test"),
        ("access-control-request-method", "GET"),
        ("access-control-request-headers", "range"),
    ];
    let answer = harness.ask("OPTIONS", "/v/0123456789abcdef/720p/0.m4s", &asked, "").await;
    assert_eq!((answer.status.as_u16(), answer.header("access-control-allow-origin")), (204, "*"));
    // CTA-5004's fields are what hls.js and dash.js send when CMCD goes in headers.
    for name in ["Range", "CMCD-Object", "CMCD-Request", "CMCD-Session", "CMCD-Status"] {
        assert!(answer.header("access-control-allow-headers").contains(name), "{name}");
    }
}
