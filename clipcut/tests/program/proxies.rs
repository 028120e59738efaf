//! A server behind nginx, Caddy, Traefik and an edge, with TLS in front: its page may write, other sites' pages may not, and
//! uploads pass body limits.

use std::{
    fs,
    net::{IpAddr, TcpListener},
    path::Path,
    process::{Child, Command, Stdio},
};

use reqwest::StatusCode;

use crate::harness::{Clip, Program, Server, clipcut, finish, until};

/// A proxy's process; ended with the test.
struct Proxy {
    process: Child,
    url: String,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

/// A certificate for `localhost`, in a folder with its key.
struct Certificate {
    folder: tempfile::TempDir,
    pem: String,
}

impl Certificate {
    fn make() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tls.crt"), made.cert.pem()).unwrap();
        fs::write(folder.path().join("tls.key"), made.signing_key.serialize_pem()).unwrap();
        Self { folder, pem: made.cert.pem() }
    }

    fn client(&self) -> reqwest::Client {
        self.builder().build().unwrap()
    }

    fn builder(&self) -> reqwest::ClientBuilder {
        // Another test of this process may have been first; both install the same.
        _ = rustls::crypto::ring::default_provider().install_default();
        let trusted = reqwest::Certificate::from_pem(self.pem.as_bytes()).unwrap();
        reqwest::Client::builder().no_proxy().tls_certs_only([trusted])
    }
}

// Neither program takes port 0.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

async fn start(command: &mut Command, url: String) -> Proxy {
    // Debian has nginx in a folder that a person's PATH lacks, and `scripts/install` keeps Traefik beside the build.
    let tools = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/tools");
    let path = format!("{}:/usr/sbin:{tools}", std::env::var("PATH").unwrap_or_default());
    let process = command.env("PATH", path).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let address = url.rsplit_once('/').unwrap().1.replace("localhost", "127.0.0.1");
    until("the proxy to listen", async || tokio::net::TcpStream::connect(&address).await.ok()).await;
    Proxy { process, url }
}

/// Starts nginx with `listen` and `location` lines of its configuration.
async fn nginx(folder: &Path, listen: &str, location: &str) -> Proxy {
    let port = free_port();
    let paths =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {name};"));
    let scheme = if listen.contains("ssl") { "https" } else { "http" };
    let configuration = format!(
        "daemon off; master_process off; pid nginx.pid; error_log stderr; events {{}}
         http {{ access_log off; {paths}
             server {{ listen 127.0.0.1:{port} {listen} location / {{ {location} }} }} }}",
        paths = paths.join(" ")
    );
    fs::write(folder.join("nginx.conf"), configuration).unwrap();
    let mut command = Command::new("nginx");
    command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf"));
    start(&mut command, format!("{scheme}://localhost:{port}")).await
}

const TLS: &str = "ssl; ssl_certificate tls.crt; ssl_certificate_key tls.key;";

async fn create(client: &reqwest::Client, proxy: &Proxy, fields: &[(&str, &str)]) -> StatusCode {
    let mut request = client.post(format!("{}/api/v1/uploads", proxy.url)).header("Tus-Resumable", "1.0.0");
    for (name, value) in [("Upload-Length", "5")].iter().chain(fields) {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap().status()
}

async fn own_page_writes_and_others_do_not(client: &reqwest::Client, proxy: &Proxy) {
    assert_eq!(create(client, proxy, &[("origin", &proxy.url)]).await, 201);
    for other in ["https://other.example", "https://localhost", "null"] {
        assert_eq!(create(client, proxy, &[("origin", other)]).await, 403, "{other}");
    }
}

#[tokio::test]
async fn nginx_may_change_the_host_in_any_way() {
    let certificate = Certificate::make();
    let client = certificate.client();
    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("data");

    let server = Server::start(&data, &[("CLIPCUT_TRUSTED_PROXIES", "127.0.0.1")]);
    for fields in [
        "proxy_set_header Host $http_host;",
        "proxy_set_header Host $host; proxy_set_header X-Forwarded-Host $host;
         proxy_set_header X-Forwarded-Port $server_port; proxy_set_header X-Forwarded-Proto $scheme;
         proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        "proxy_set_header Forwarded 'for=$remote_addr;host=\"$http_host\";proto=$scheme';",
    ] {
        let pass = format!("proxy_pass {}; {fields}", server.url);
        let proxy = nginx(certificate.folder.path(), TLS, &pass).await;
        own_page_writes_and_others_do_not(&client, &proxy).await;
    }
    // With nginx's own Host the browser's word is enough, which it gives to every page over HTTPS.
    let proxy = nginx(certificate.folder.path(), TLS, &format!("proxy_pass {};", server.url)).await;
    let page = ("origin", proxy.url.as_str());
    assert_eq!(create(&client, &proxy, &[page, ("sec-fetch-site", "same-origin")]).await, 201);
    assert_eq!(create(&client, &proxy, &[page, ("sec-fetch-site", "cross-site")]).await, 403);
    assert_eq!(create(&client, &proxy, &[page]).await, 403);
    let url = proxy.url.clone();
    drop(server);

    // The same, and the server knows its name.
    let server = Server::start(&data, &[("CLIPCUT_PUBLIC_URL", &url)]);
    drop(proxy);
    let port = url.rsplit_once(':').unwrap().1;
    let configuration = fs::read_to_string(certificate.folder.path().join("nginx.conf")).unwrap();
    let before = configuration.split_once("proxy_pass ").unwrap().1.split_once(';').unwrap().0.to_owned();
    fs::write(certificate.folder.path().join("nginx.conf"), configuration.replace(&before, &server.url))
        .unwrap();
    let mut command = Command::new("nginx");
    let folder = certificate.folder.path();
    command.arg("-p").arg(folder).arg("-c").arg(folder.join("nginx.conf"));
    let proxy = start(&mut command, format!("https://localhost:{port}")).await;
    own_page_writes_and_others_do_not(&client, &proxy).await;
}

#[tokio::test]
async fn caddy_needs_no_setting() {
    let certificate = Certificate::make();
    let client = certificate.client();
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let port = free_port();
    let file = certificate.folder.path().join("Caddyfile");
    let upstream = server.url.strip_prefix("http://").unwrap();
    let configuration = format!(
        "{{\n admin off\n auto_https off\n}}\nhttps://localhost:{port} {{\n tls {folder}/tls.crt {folder}/tls.key\n reverse_proxy {upstream}\n}}\n",
        folder = certificate.folder.path().display()
    );
    fs::write(&file, configuration).unwrap();
    let mut command = Command::new("caddy");
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file).env("HOME", home.path());
    let proxy = start(&mut command, format!("https://localhost:{port}")).await;
    own_page_writes_and_others_do_not(&client, &proxy).await;
}

#[tokio::test]
async fn traefik_needs_no_setting() {
    let certificate = Certificate::make();
    let client = certificate.client();
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let proxy = traefik(&certificate, &server.url).await;
    own_page_writes_and_others_do_not(&client, &proxy).await;
}

#[tokio::test]
async fn behind_traefik_the_log_knows_the_client() {
    let certificate = Certificate::make();
    let home = tempfile::tempdir().unwrap();
    let settings = [("CLIPCUT_TRUSTED_PROXIES", "127.0.0.1"), ("CLIPCUT_LOG", "info,access=debug")];
    let server = Server::start(&home.path().join("data"), &settings);
    let proxy = traefik(&certificate, &server.url).await;
    let client = certificate.builder().local_address(IpAddr::from([127, 0, 0, 2])).build().unwrap();
    let forged = client.get(format!("{}/api/v1/videos", proxy.url)).header("x-forwarded-for", "203.0.113.9");
    assert_eq!(forged.send().await.unwrap().status(), 200);
    assert!(server.program.wait_for_log("/api/v1/videos").contains("client=127.0.0.2"));
    assert!(!server.program.log().contains("203.0.113.9"));
}

/// Starts Traefik with the example of `docs/operations.md`, whose certificate is a file here.
async fn traefik(certificate: &Certificate, upstream: &str) -> Proxy {
    let port = free_port();
    let folder = certificate.folder.path();
    let guide = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operations.md")).unwrap();
    let example = guide.split("```yaml\nhttp:").nth(1).unwrap().split("```").next().unwrap();
    let dynamic = format!("http:{example}")
        .replace("videos.example.org", "localhost")
        .replace("http://127.0.0.1:8080", upstream)
        .replace("{ certResolver: letsencrypt }", "{}");
    assert!(dynamic.contains(upstream) && dynamic.contains("localhost") && dynamic.contains("tls: {}"));
    let stores =
        "tls: { stores: { default: { defaultCertificate: { certFile: tls.crt, keyFile: tls.key } } } }";
    fs::write(folder.join("dynamic.yaml"), format!("{dynamic}{stores}\n")).unwrap();
    let mut command = Command::new("traefik");
    command.current_dir(folder).args([
        &format!("--entryPoints.secure.address=127.0.0.1:{port}"),
        "--providers.file.filename=dynamic.yaml",
        "--global.checkNewVersion=false",
        "--global.sendAnonymousUsage=false",
    ]);
    let proxy = start(&mut command, format!("https://localhost:{port}")).await;
    // Traefik listens before it has read the routes.
    let client = certificate.client();
    until("the route", async || {
        client.get(&proxy.url).send().await.ok().filter(|answer| answer.status() == 200)
    })
    .await;
    proxy
}

#[tokio::test]
async fn an_edge_tells_its_origin_who_the_client_is() {
    let home = tempfile::tempdir().unwrap();
    let settings = [("CLIPCUT_TRUSTED_PROXIES", "127.0.0.1"), ("CLIPCUT_LOG", "info,access=debug")];
    let server = Server::start(&home.path().join("data"), &settings);
    let mut command = clipcut(home.path());
    command.args(["edge", "--origin", &server.url, "--listen", "127.0.0.1:0"]);
    let edge = Program::start(&mut command);
    let line = edge.wait_for_log("serving http://");
    let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let client = client_at([127, 0, 0, 2]);
    let forged = client.get(format!("{url}/api/v1/videos")).header("x-forwarded-for", "203.0.113.9");
    assert_eq!(forged.send().await.unwrap().status(), 200);
    assert!(server.program.wait_for_log("/api/v1/videos").contains("client=127.0.0.2"));
    assert!(!server.program.log().contains("203.0.113.9"));
}

#[tokio::test]
async fn an_upload_passes_a_body_limit_in_pieces() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let folder = tempfile::tempdir().unwrap();
    // nginx's own limit, 1 MiB.
    let proxy = nginx(folder.path(), ";", &format!("proxy_pass {};", server.url)).await;
    let file = Clip::Heavy.file();
    assert!(file.metadata().unwrap().len() > 2 << 20);
    let mut command = clipcut(home.path());
    command.arg("upload").arg(file).args(["--server", &proxy.url]);
    let done = finish(&mut command);
    assert_eq!(done.code, Some(0), "{done:?}");
}

/// Returns a client whose connections come from `address`, one of this machine's own.
fn client_at(address: [u8; 4]) -> reqwest::Client {
    reqwest::Client::builder().no_proxy().local_address(IpAddr::from(address)).build().unwrap()
}

#[tokio::test]
async fn the_log_and_the_bounds_know_the_client_behind_a_trusted_proxy() {
    let home = tempfile::tempdir().unwrap();
    let settings = [
        ("CLIPCUT_TRUSTED_PROXIES", "127.0.0.1"),
        ("CLIPCUT_MAX_CONNECTIONS_PER_ADDRESS", "1"),
        ("CLIPCUT_LOG", "info,access=debug"),
    ];
    let server = Server::start(&home.path().join("data"), &settings);
    let folder = tempfile::tempdir().unwrap();
    let location = format!(
        "proxy_pass {}; proxy_buffering off; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;",
        server.url
    );
    let proxy = nginx(folder.path(), ";", &location).await;
    let url = |path: &str| format!("{}{path}", proxy.url.replace("localhost", "127.0.0.1"));
    let (one, other) = (client_at([127, 0, 0, 2]), client_at([127, 0, 0, 3]));

    // A client's own entries stand in front of the one that nginx appends.
    let forged = one.get(url("/api/v1/videos?first")).header("x-forwarded-for", "203.0.113.9");
    assert_eq!(forged.send().await.unwrap().status(), 200);
    assert!(server.program.wait_for_log("/api/v1/videos").contains("client=127.0.0.2"));
    assert!(!server.program.log().contains("203.0.113.9"));

    // A request of the one that stays open; nginx's own connections are no bound.
    let events = one.get(url("/api/v1/events")).send().await.unwrap();
    assert_eq!(events.status(), 200);
    let refused = one.get(url("/api/v1/videos")).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"1".parse().unwrap()));
    assert_eq!(other.get(url("/api/v1/videos")).send().await.unwrap().status(), 200);
    drop(events);
    until("the place to be free", async || {
        let answer = one.get(url("/api/v1/videos")).send().await.unwrap();
        (answer.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test]
async fn clients_send_pieces_of_the_size_that_the_server_names() {
    let home = tempfile::tempdir().unwrap();
    let settings = [("CLIPCUT_UPLOAD_PIECE", "512KiB"), ("CLIPCUT_LOG", "info,access=debug")];
    let server = Server::start(&home.path().join("data"), &settings);
    let folder = tempfile::tempdir().unwrap();
    // Without the setting, the first request of all would be refused here.
    let limited = format!("client_max_body_size 512k; proxy_pass {};", server.url);
    let proxy = nginx(folder.path(), ";", &limited).await;
    let file = Clip::Heavy.file();
    let mut command = clipcut(home.path());
    command.arg("upload").arg(file).args(["--server", &proxy.url]);
    let done = finish(&mut command);
    assert_eq!(done.code, Some(0), "{done:?}");
    let log = server.program.log();
    let patches = log.lines().filter(|line| line.contains("method=PATCH")).count() as u64;
    assert_eq!(patches, file.metadata().unwrap().len().div_ceil(512 << 10));
}

#[tokio::test]
async fn a_proxy_that_strips_a_path_gets_a_reason_for_the_page() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::start(&home.path().join("data"), &[]);
    let folder = tempfile::tempdir().unwrap();
    let strips = format!("proxy_pass {}/; proxy_set_header X-Forwarded-Prefix /media;", server.url);
    let proxy = nginx(folder.path(), ";", &strips).await;
    let answer = reqwest::get(format!("{}/", proxy.url)).await.unwrap();
    assert_eq!(answer.status(), 421);
    let reason = answer.text().await.unwrap();
    assert!(reason.contains("/media") && reason.contains("host name of its own"), "{reason}");
}

#[test]
fn a_path_below_another_site_is_refused_with_a_reason() {
    let home = tempfile::tempdir().unwrap();
    let settings =
        [("CLIPCUT_PUBLIC_URL", "https://example.org/media/"), ("CLIPCUT_TRUSTED_PROXIES", "nginx")];
    let done = finish(&mut Server::command(&home.path().join("data"), &settings));
    assert_eq!(done.code, Some(1), "{done:?}");
    for part in ["public_url", "has a path", "host name of its own", "trusted_proxies", "`nginx`"] {
        assert!(done.stderr.contains(part), "{part} in {done:?}");
    }
}
