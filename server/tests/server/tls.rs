//! TLS: what is spoken, and certificates that change under way.

use std::{path::PathBuf, sync::Arc};

use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::{
    ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion,
    crypto::ring,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
    version,
};
use server::{Limits, Listener, Tls, TlsError, body};
use tempfile::TempDir;
use tokio::{io::AsyncWriteExt, net::TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::running::{LONG, Running, SHORT, rest, start_with};

struct Files {
    _folder: TempDir,
    certificate: PathBuf,
    key: PathBuf,
}

struct Pair {
    certificate: String,
    key: String,
}

fn pair() -> Pair {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    Pair { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
}

impl Files {
    fn of(pair: &Pair) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("tls.crt"), folder.path().join("tls.key"));
        let files = Self { _folder: folder, certificate, key };
        files.write(pair);
        files
    }

    fn write(&self, pair: &Pair) {
        std::fs::write(&self.certificate, &pair.certificate).unwrap();
        std::fs::write(&self.key, &pair.key).unwrap();
    }

    fn load(&self) -> Result<Tls, TlsError> {
        Tls::load(&self.certificate, &self.key)
    }
}

async fn start(limits: Limits, tls: Tls) -> Running {
    start_with(limits, |socket| Listener::from(socket).tls(Some(tls))).await
}

/// Shakes hands as a client that trusts one certificate.
async fn shake(
    running: &Running,
    trusted: &Pair,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&str],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.certificate.as_bytes()).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(running.address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

const BOTH: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken_and_alpn_chooses_rfc_7301() {
    let trusted = pair();
    let running = start(Limits::default(), Files::of(&trusted).load().unwrap()).await;
    for (versions, protocols, version, protocol) in [
        (&BOTH[..1], &["h2", "http/1.1"][..], ProtocolVersion::TLSv1_3, Some(&b"h2"[..])),
        (&BOTH[1..], &["http/1.1", "h2"], ProtocolVersion::TLSv1_2, Some(b"h2")),
        (BOTH, &["http/1.1"], ProtocolVersion::TLSv1_3, Some(b"http/1.1")),
        (BOTH, &[], ProtocolVersion::TLSv1_3, None),
    ] {
        let stream = shake(&running, &trusted, versions, protocols).await.unwrap();
        let session = stream.get_ref().1;
        assert_eq!((session.protocol_version(), session.alpn_protocol()), (Some(version), protocol));
    }
    let strange = shake(&running, &trusted, BOTH, &["spdy/3"]).await.unwrap_err();
    assert!(strange.to_string().contains("NoApplicationProtocol"), "{strange}");
    running.stop().await;
}

#[tokio::test]
async fn both_versions_of_http_are_answered_over_tls() {
    let trusted = pair();
    let running = start(Limits::default(), Files::of(&trusted).load().unwrap()).await;

    let mut stream = shake(&running, &trusted, BOTH, &["http/1.1"]).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(rest(&mut stream).await.ends_with("\r\n\r\nfine"));

    let stream = TokioIo::new(shake(&running, &trusted, BOTH, &["h2"]).await.unwrap());
    let (mut client, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = http::Request::get("https://localhost/head").body(body::empty()).unwrap();
    let response = client.send_request(request).await.unwrap();
    let text = body::collect(response.into_body(), 100).await.unwrap();
    assert_eq!(text, "host localhost upgrade none");
    running.stop().await;
    connection.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_client_that_agreed_on_a_version_speaks_no_other_rfc_9113_3_4() {
    let trusted = pair();
    let running = start(Limits::default(), Files::of(&trusted).load().unwrap()).await;
    let http1 = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let http2 = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    for (protocol, spoken) in [("h2", http1), ("http/1.1", http2)] {
        let mut stream = shake(&running, &trusted, BOTH, &[protocol]).await.unwrap();
        stream.write_all(spoken.as_bytes()).await.unwrap();
        let answer = tokio::time::timeout(LONG, rest(&mut stream)).await.expect("the connection stays open");
        assert!(!answer.contains("200") && !answer.contains("fine"), "{protocol}: {answer}");
    }
    running.stop().await;
}

#[tokio::test]
async fn a_new_certificate_serves_new_connections_and_old_ones_live_on() {
    let (old, new) = (pair(), pair());
    let files = Files::of(&old);
    let tls = files.load().unwrap();
    let running = start(Limits::default(), tls.clone()).await;
    let mut before = shake(&running, &old, BOTH, &[]).await.unwrap();
    assert!(!tls.reload().unwrap(), "nothing has changed");
    files.write(&new);
    assert!(tls.reload().unwrap());
    shake(&running, &new, BOTH, &[]).await.unwrap();
    assert!(shake(&running, &old, BOTH, &[]).await.is_err());
    before.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
    assert!(rest(&mut before).await.ends_with("fine"));
    running.stop().await;
}

#[tokio::test]
async fn a_bad_new_certificate_is_reported_once_and_the_old_one_stays() {
    let (old, other) = (pair(), pair());
    let files = Files::of(&old);
    let tls = files.load().unwrap();
    let running = start(Limits::default(), tls.clone()).await;
    let mismatched = Pair { certificate: other.certificate.clone(), key: old.key.clone() };
    let garbled = Pair { certificate: "nothing".into(), key: old.key.clone() };
    let without_key = Pair { certificate: old.certificate.clone(), key: String::new() };
    for bad in [mismatched, garbled, without_key] {
        files.write(&bad);
        assert!(tls.reload().is_err());
        assert!(!tls.reload().unwrap(), "an error is reported once");
        shake(&running, &old, BOTH, &[]).await.unwrap();
    }
    std::fs::remove_file(&files.key).unwrap();
    let error = tls.reload().unwrap_err().to_string();
    assert!(error.contains("tls.key"), "{error}");
    shake(&running, &old, BOTH, &[]).await.unwrap();
    // And a good one is taken after all of them.
    files.write(&other);
    assert!(tls.reload().unwrap());
    shake(&running, &other, BOTH, &[]).await.unwrap();
    running.stop().await;
}

#[test]
fn files_that_hold_no_pair_are_refused_by_name() {
    let (one, other) = (pair(), pair());
    let check = |certificate: &str, key: &str, expected: &str| {
        let files = Files::of(&Pair { certificate: certificate.into(), key: key.into() });
        let error = files.load().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(&one.certificate, &other.key, "cannot be used together");
    check("", &one.key, "tls.crt");
    check(&one.certificate, "nothing", "tls.key holds no private key");
}

#[tokio::test]
async fn a_client_that_never_shakes_hands_is_cut_off() {
    let tls = Files::of(&pair()).load().unwrap();
    let running = start(Limits { header_timeout: SHORT, ..Limits::default() }, tls).await;
    for beginning in ["", "\u{16}\u{3}", "GET / HTTP/1.1\r\nhost: x\r\n\r\n"] {
        let mut stream = running.send(beginning).await;
        let answer = tokio::time::timeout(LONG, rest(&mut stream)).await.expect("the connection stays open");
        assert!(!answer.contains("HTTP/1.1"), "{answer}");
    }
    running.stop().await;
}
