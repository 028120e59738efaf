//! A server with a certificate, and its metrics.

use std::fs;

use crate::harness::{Program, Server, finish};

#[tokio::test]
async fn a_server_with_a_certificate_speaks_https_and_counts_what_it_answers() {
    let home = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (home.path().join("tls.crt"), home.path().join("tls.key"));
    fs::write(&certificate, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let settings =
        [("CLIPCUT_TLS_CERT", certificate.to_str().unwrap()), ("CLIPCUT_TLS_KEY", key.to_str().unwrap())];
    let program = Program::start(&mut Server::command(&home.path().join("data"), &settings));
    let line = program.wait_for_log("serving https://127.0.0.1:");
    let port = line.trim_end().rsplit(':').next().unwrap().to_owned();

    // Another test of this process may have been first; both install the same.
    _ = rustls::crypto::ring::default_provider().install_default();
    let trusted = reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([trusted]).build().unwrap();
    let get = async |path: &str| {
        let answer = client.get(format!("https://localhost:{port}{path}")).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    assert_eq!(get("/api/v1/videos").await.0, 200);
    assert_eq!(get("/v/0123456789abcdef/master.m3u8").await.0, 404);
    let metrics = program.admin().get("/metrics").await.text();
    for line in
        ["clipcut_http_requests_total{status=\"2xx\"} 1\n", "clipcut_http_requests_total{status=\"4xx\"} 1\n"]
    {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
}

#[test]
fn a_certificate_without_its_key_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    for (set, missing) in [("CLIPCUT_TLS_CERT", "tls_key"), ("CLIPCUT_TLS_KEY", "tls_cert")] {
        let done = finish(&mut Server::command(&home.path().join("data"), &[(set, "tls.pem")]));
        assert_eq!(done.code, Some(1), "{done:?}");
        assert!(done.stderr.contains(&format!("needs {missing}")), "{done:?}");
    }
}
