mod appending;
mod checksum;
mod creation;
mod ending;

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use origin::Config;
use server::{
    forwarded::TrustedProxies,
    site::{PublicUrl, Site},
};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use store::{NewVideo, Timestamp, VideoId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::harness::{Answer, Harness};

const VERSION: (&str, &str) = ("tus-resumable", "1.0.0");
const BYTES: (&str, &str) = ("content-type", "application/offset+octet-stream");
const UPLOADS: &str = "/api/v1/uploads";

impl Harness {
    #[expect(clippy::too_many_arguments, reason = "a request has these four parts")]
    async fn tus(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Answer {
        let headers: Vec<_> = [VERSION].into_iter().chain(headers.iter().copied()).collect();
        let answer = self.ask(method, path, &headers, body).await;
        assert_eq!(answer.header("tus-resumable"), "1.0.0");
        answer
    }

    /// Creates an upload and returns its address.
    async fn create(&self, length: u64) -> String {
        let answer = self.tus("POST", UPLOADS, &[("upload-length", &length.to_string())], "").await;
        assert_eq!(answer.status, 201);
        answer.header("location").to_owned()
    }

    async fn patch(&self, at: &str, offset: u64, body: impl Into<Bytes>) -> Answer {
        self.tus("PATCH", at, &[BYTES, ("upload-offset", &offset.to_string())], body).await
    }

    async fn offset(&self, at: &str) -> String {
        let answer = self.tus("HEAD", at, &[], "").await;
        assert_eq!(answer.status, 200);
        answer.header("upload-offset").to_owned()
    }

    async fn source(&self, at: &str) -> Option<Bytes> {
        self.store.blobs.read(&format!("sources/{}", id(at))).await.unwrap()
    }

    /// Asks for the offset until it is `offset`: the kernel reports a dead connection late, and at no known time.
    async fn until_offset(&self, at: &str, offset: &str) {
        let reached = async { while self.offset(at).await != offset {} };
        tokio::time::timeout(Duration::from_secs(10), reached).await.expect("the bytes are not stored");
    }
}

fn id(at: &str) -> VideoId {
    at.rsplit('/').next().unwrap().parse().unwrap()
}

impl Answer {
    /// An answer to HEAD has no body to look into.
    fn is_gone(&self) {
        assert_eq!(self.status, 410);
        assert_eq!(self.header("upload-offset"), "");
    }
}

#[tokio::test]
async fn options_list_the_extensions_of_the_server() {
    let harness = Harness::with(Config { max_upload_bytes: 1000, ..Config::default() }).await;
    for path in [UPLOADS, "/api/v1/uploads/0123456789abcdef"] {
        let answer = harness.ask("OPTIONS", path, &[], "").await;
        assert_eq!(answer.status, 204);
        for (name, expected) in [
            ("tus-resumable", "1.0.0"),
            ("tus-version", "1.0.0"),
            ("tus-extension", "creation,creation-with-upload,termination,checksum,expiration"),
            ("tus-max-size", "1000"),
            ("tus-checksum-algorithm", "sha1,sha256"),
        ] {
            assert_eq!(answer.header(name), expected, "{name}");
        }
    }
}

#[tokio::test]
async fn a_page_of_another_origin_changes_nothing_and_our_own_does() {
    let harness = Harness::open().await;
    let create = |origin| {
        let fields = [("origin", origin), ("tus-resumable", "1.0.0"), ("upload-length", "5")];
        let harness = &harness;
        async move { harness.ask("POST", UPLOADS, &fields, "").await.status }
    };
    assert_eq!(create("https://page.test").await, 403);
    assert_eq!(create("http://origin.test.evil.test").await, 403);
    assert_eq!(create("null").await, 403);
    let asked = [("origin", "https://page.test"), ("access-control-request-method", "DELETE")];
    assert_eq!(harness.ask("OPTIONS", UPLOADS, &asked, "").await.status, 403);
    assert_eq!(create("http://origin.test").await, 201);
    assert_eq!(create("https://origin.test").await, 201);
}

#[tokio::test]
async fn a_page_of_this_server_is_known_behind_proxies() {
    let site = Site {
        public: Some(PublicUrl::parse("https://videos.test:8443").unwrap()),
        proxies: TrustedProxies::parse(["127.0.0.1"]).unwrap(),
    };
    let proxied = Harness::with(Config { site, ..Config::default() }).await;
    let plain = Harness::open().await;
    let create = async |harness: &Harness, fields: &[(&str, &str)]| {
        let fields: Vec<_> =
            [("tus-resumable", "1.0.0"), ("upload-length", "5")].iter().chain(fields).copied().collect();
        harness.ask("POST", UPLOADS, &fields, "").await.status
    };
    let page = ("origin", "https://videos.test:8443");
    assert_eq!(create(&proxied, &[page]).await, 201);
    assert_eq!(create(&plain, &[page]).await, 403);
    assert_eq!(create(&plain, &[page, ("sec-fetch-site", "same-origin")]).await, 201);
    assert_eq!(
        create(&plain, &[("origin", "http://origin.test"), ("sec-fetch-site", "same-site")]).await,
        403
    );
    assert_eq!(create(&plain, &[("origin", "http://origin.test:80")]).await, 201);
    let other = ("origin", "https://other.test");
    assert_eq!(create(&proxied, &[other, ("x-forwarded-host", "other.test")]).await, 201);
    assert_eq!(create(&plain, &[other, ("x-forwarded-host", "other.test")]).await, 403);
}

#[tokio::test]
async fn an_upload_that_has_more_than_the_limit_of_today_takes_no_more() {
    let harness = Harness::with(Config { max_upload_bytes: 4, ..Config::default() }).await;
    let expires_at = Timestamp::now() + Duration::from_hours(1);
    let video =
        NewVideo { title: "t".into(), description: String::new(), source_name: "t.mp4".into(), owner: None };
    let id = harness.store.uploads.begin(&video, None, expires_at).await.unwrap().id;
    let mut append = harness.store.uploads.append(&id, false).await.unwrap().unwrap();
    append.write(b"0123456789").await.unwrap();
    append.sync().await.unwrap();
    append.close().await.unwrap();
    // Without a length of its own, as a chunked request is.
    let head = format!(
        "PATCH {UPLOADS}/{id} HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\nupload-offset: 10\r\n\
         content-type: application/offset+octet-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
    );
    let mut stream = harness.raw(&format!("{head}1\r\nx\r\n0\r\n\r\n")).await;
    let mut answer = String::new();
    tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert_eq!(harness.store.uploads.offset(&id).await.unwrap(), 10);
}

#[tokio::test]
async fn a_page_that_the_configuration_names_may_speak_tus() {
    let api_origins = vec!["https://page.test".to_owned()];
    let harness = Harness::with(Config { api_origins, ..Config::default() }).await;
    let asked = [("origin", "https://page.test"), ("access-control-request-method", "PATCH")];
    let answer = harness.ask("OPTIONS", UPLOADS, &asked, "").await;
    assert_eq!(answer.status, 204);
    for name in ["Tus-Resumable", "Upload-Length", "Upload-Offset", "Upload-Metadata", "Upload-Checksum"] {
        assert!(answer.header("access-control-allow-headers").contains(name), "{name}");
    }
    for method in ["POST", "HEAD", "PATCH", "DELETE"] {
        assert!(answer.header("access-control-allow-methods").contains(method), "{method}");
    }
    for name in ["Location", "Upload-Offset", "Upload-Length", "Upload-Expires", "Tus-Resumable"] {
        assert!(answer.header("access-control-expose-headers").contains(name), "{name}");
    }
}

#[tokio::test]
async fn a_client_of_another_version_is_412_and_nothing_happens() {
    let harness = Harness::open().await;
    for version in [&[][..], &[("tus-resumable", "0.2.2")]] {
        let headers: Vec<_> = [("upload-length", "5")].into_iter().chain(version.iter().copied()).collect();
        let answer = harness.ask("POST", UPLOADS, &headers, "").await;
        answer.is_problem(412, "unsupported_tus_version");
        assert_eq!(answer.header("tus-version"), "1.0.0");
    }
    assert_eq!(harness.store.videos.count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_method_may_be_given_in_a_header() {
    let harness = Harness::open().await;
    let at = harness.create(5).await;
    let headers = [BYTES, ("upload-offset", "0"), ("x-http-method-override", "PATCH")];
    assert_eq!(harness.tus("POST", &at, &headers, "01234").await.header("upload-offset"), "5");
    let headers = [("x-http-method-override", "DELETE")];
    assert_eq!(harness.tus("POST", &at, &headers, "").await.status, 204);
    harness.tus("HEAD", &at, &[], "").await.is_gone();
}

#[tokio::test]
async fn unknown_uploads_and_wrong_methods_are_problems() {
    let harness = Harness::open().await;
    harness.tus("PATCH", "/api/v1/uploads/nonsense", &[], "").await.is_problem(404, "unknown_upload");
    let answer = harness.tus("GET", UPLOADS, &[], "").await;
    answer.is_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "POST, OPTIONS");
    let answer = harness.tus("PUT", "/api/v1/uploads/0123456789abcdef", &[], "").await;
    answer.is_problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "HEAD, PATCH, DELETE, OPTIONS");
}
