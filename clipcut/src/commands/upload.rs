//! `clipcut upload`: a tus client that resumes, in the same run or the next, and sends smaller requests where a proxy
//! does not let large ones pass.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures::StreamExt;
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::{login::CodeRequired, token};
use crate::{
    progress::{Progress, Unit},
    setting::{Setting, Size},
};

// With pauses that double, eight tries outlast about a minute: a restart of the server, not a dead one.
const TRIES: u32 = 8;
// Two thousand reads a second carry 4 Gbit/s; smaller ones would spend the time in calls.
const READ_BYTES: usize = 256 * 1024;
const SHOW_EVERY: Duration = Duration::from_millis(200);
// nginx lets 1 MiB pass by default, CDNs 100 MB; a proxy below the least is not set up for uploads at all.
const PIECES: [u64; 5] = [64 << 20, 16 << 20, 4 << 20, 1 << 20, 256 << 10];

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file to upload
    file: PathBuf,
    /// The server
    #[arg(long, value_name = "URL", env = "CLIPCUT_SERVER", default_value = "http://localhost:8080")]
    server: Url,
    /// The title of the video; else the file's name
    #[arg(long)]
    title: Option<String>,
    /// Largest request, such as 50MiB, for proxies that let no larger one pass; else it is found out
    #[arg(long, value_name = "SIZE", value_parser = piece)]
    piece: Option<u64>,
}

fn piece(text: &str) -> Result<u64, String> {
    match Size::read(text)?.0 {
        0 => Err("a size above 0 is expected".to_owned()),
        size => Ok(size),
    }
}

/// A proxy's refusal of a request for its size. Ours is a problem document, and final.
#[derive(Debug)]
struct TooLargeForProxy {
    sent: u64,
}

impl std::fmt::Display for TooLargeForProxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a proxy on the way refuses requests of {} bytes; raise its body limit", self.sent)
    }
}

impl std::error::Error for TooLargeForProxy {}

/// The server's refusal of the file itself, which another try does not change.
#[derive(Debug)]
struct NoMedia(String);

impl std::fmt::Display for NoMedia {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NoMedia {}

/// The part of a video's document that is shown here.
#[derive(Debug, Deserialize)]
struct Document {
    state: String,
    error: Option<Failure>,
    renditions: Vec<Rendition>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    message: String,
}

#[derive(Debug, Deserialize)]
struct Rendition {
    segments_published: u64,
    segments_total: u64,
}

/// A problem document (RFC 9457).
#[derive(Debug, Default, Deserialize)]
struct Problem {
    code: Option<String>,
    detail: Option<String>,
    title: Option<String>,
}

/// Uploads the file and shows the progress of its encoding.
pub(crate) async fn run(args: &Args) -> Result<()> {
    // Fails only when one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .default_headers(token::headers(&args.server)?)
        .connect_timeout(Duration::from_secs(10))
        // The whole request has no limit: an upload of 20 GiB may take a day.
        .read_timeout(Duration::from_mins(1))
        .build()?;
    let source = Source::open(&args.file)?;
    let resume = ResumeFile::of(&source, &args.server);
    let upload = match resume.read() {
        // tus 1.0.0, Core: HEAD is how a client finds out whether an upload still exists, and where it goes on.
        Some(url) if reached(&client, &url).await?.is_some() => url,
        _ => create(&client, args, &source).await?,
    };
    // The URL is written before the first byte: a kill from here on costs nothing that was sent.
    resume.write(&upload)?;
    let transfer = Transfer { client: &client, source: &source, upload: &upload, piece: args.piece };
    transfer.run().await?;
    resume.remove();

    let id = upload
        .path_segments()
        .and_then(|mut parts| parts.next_back())
        .context("the server gave no upload URL")?
        .to_owned();
    println!("{}", args.server.join(&format!("/watch/{id}"))?);
    follow(&client, &args.server.join(&format!("/api/v1/videos/{id}"))?).await
}

async fn create(client: &Client, args: &Args, source: &Source) -> Result<Url> {
    let name = source.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // tus, Upload-Metadata: values are base64, since header fields carry no UTF-8 that proxies agree on.
    let mut metadata = format!("filename {}", BASE64_STANDARD.encode(&name));
    if let Some(title) = &args.title {
        metadata += &format!(",title {}", BASE64_STANDARD.encode(title));
    }
    let request = client.post(args.server.join("/api/v1/uploads")?).header("Tus-Resumable", "1.0.0");
    let request = request.header("Upload-Length", source.len).header("Upload-Metadata", metadata);
    let response = request.send().await.with_context(|| format!("cannot reach {}", args.server))?;
    let response = refuse_errors(response).await?;
    let location = response
        .headers()
        .get("Location")
        .and_then(|v| v.to_str().ok())
        .context("the server gave no upload URL")?;
    // Location may be relative (RFC 9110 §10.2.2), and redirects may have changed the base.
    Ok(response.url().join(location)?)
}

/// The state of an upload at the server.
struct Reached {
    /// The bytes that it has.
    offset: u64,
    /// The largest request that it wants.
    piece: Option<u64>,
}

/// Returns what the server has of the upload, or `None` when the upload has expired there.
async fn reached(client: &Client, upload: &Url) -> Result<Option<Reached>> {
    let response = client.head(upload.clone()).header("Tus-Resumable", "1.0.0").send().await?;
    if matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::GONE) {
        return Ok(None);
    }
    let response = refuse_errors(response).await?;
    let field = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let offset = field("Upload-Offset").and_then(|offset| offset.parse().ok());
    let offset = offset.context("the server's answer has no Upload-Offset")?;
    Ok(Some(Reached { offset, piece: field("Upload-Limit").and_then(max_append_size) }))
}

/// Reads `Upload-Limit`, a dictionary such as `max-size=1000, max-append-size=100`.
fn max_append_size(limit: &str) -> Option<u64> {
    let sizes = limit.split(',').filter_map(|member| member.trim().strip_prefix("max-append-size="));
    sizes.filter_map(|size| size.parse().ok()).find(|size| *size > 0)
}

/// The bytes of a file on their way to an upload.
struct Transfer<'a> {
    client: &'a Client,
    source: &'a Source,
    upload: &'a Url,
    /// The largest request; without one, the whole rest of the file.
    piece: Option<u64>,
}

impl Transfer<'_> {
    async fn run(mut self) -> Result<()> {
        let mut bar = Progress::new("uploading", Unit::Bytes, self.source.len);
        let mut failures = 0;
        let mut furthest = 0;
        loop {
            let sent = match reached(self.client, self.upload).await {
                // The server's count decides and not the last response, which a broken line may have swallowed.
                Ok(Some(reached)) if reached.offset >= self.source.len => {
                    bar.finish();
                    return Ok(());
                }
                Ok(Some(reached)) => {
                    if reached.offset > furthest {
                        // Only tries without progress count: a flaky line may break a long upload any number of times.
                        (furthest, failures) = (reached.offset, 0);
                    }
                    self.piece = self.piece.or(reached.piece);
                    self.send_from(reached.offset, &mut bar).await
                }
                Ok(None) => bail!("the server dropped the upload; run the command again to start over"),
                Err(e) => Err(e),
            };
            let Err(error) = sent else { continue };
            if let Some(TooLargeForProxy { sent }) = error.downcast_ref()
                && let Some(smaller) = PIECES.into_iter().find(|piece| piece < sent)
            {
                self.piece = Some(smaller);
                continue;
            }
            if error.is::<NoMedia>() {
                return Err(error);
            }
            failures += 1;
            if failures == TRIES {
                return Err(error.context("the upload broke off; run the same command again to go on"));
            }
            tokio::time::sleep(Duration::from_millis(250 << failures)).await;
        }
    }

    async fn send_from(&self, at: u64, bar: &mut Progress) -> Result<()> {
        let source = self.source;
        let length = (source.len - at).min(self.piece.unwrap_or(u64::MAX));
        let mut file = tokio::fs::File::open(&source.path).await?;
        file.seek(std::io::SeekFrom::Start(at)).await?;
        let sent = Arc::new(AtomicU64::new(at));
        // The bytes are counted as the body is read: reqwest has no callback, and
        // sockets buffer a few hundred kilobytes more.
        let counter = sent.clone();
        let body = ReaderStream::with_capacity(file.take(length), READ_BYTES).inspect(move |chunk| {
            if let Ok(chunk) = chunk {
                counter.fetch_add(chunk.len() as u64, Ordering::Relaxed);
            }
        });
        let request = self
            .client
            .patch(self.upload.clone())
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Offset", at);
        let request = request
            .header("Content-Type", "application/offset+octet-stream")
            .header("Content-Length", length);
        let response = request.body(reqwest::Body::wrap_stream(body)).send();
        tokio::pin!(response);
        let response = loop {
            tokio::select! {
                response = &mut response => break response?,
                () = tokio::time::sleep(SHOW_EVERY) => bar.set(sent.load(Ordering::Relaxed)),
            }
        };
        // nginx and CDNs answer 413 with a page of HTML; a problem document is the
        // server's own limit, which no piece passes.
        if response.status() == StatusCode::PAYLOAD_TOO_LARGE && !is_problem(&response) {
            return Err(TooLargeForProxy { sent: length }.into());
        }
        refuse_errors(response).await.map(drop)
    }
}

async fn follow(client: &Client, video: &Url) -> Result<()> {
    let mut bar = Progress::new("encoding", Unit::Segments, 0);
    loop {
        let response = refuse_errors(client.get(video.clone()).send().await?).await?;
        let document: Document = response.json().await?;
        bar.set_total(document.renditions.iter().map(|r| r.segments_total).sum());
        bar.set(document.renditions.iter().map(|r| r.segments_published).sum());
        if let Some(failure) = document.error {
            bail!("{}", failure.message);
        }
        if document.state == "ready" {
            bar.finish();
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

fn is_problem(response: &Response) -> bool {
    let kind = response.headers().get("Content-Type").and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.starts_with("application/problem+json"))
}

pub(super) async fn refuse_errors(response: Response) -> Result<Response> {
    let (status, server) = (response.status(), response.url().origin().ascii_serialization());
    if status.is_success() {
        return Ok(response);
    }
    // A proxy's error has no problem document, so its status must do.
    let problem = response.json::<Problem>().await.unwrap_or_default();
    let detail = problem.detail.or(problem.title);
    if let (StatusCode::UNSUPPORTED_MEDIA_TYPE, Some(detail)) = (status, &detail) {
        return Err(NoMedia(detail.clone()).into());
    }
    if problem.code.as_deref() == Some("second_factor_required") {
        return Err(CodeRequired.into());
    }
    let detail = detail.map(|detail| format!(": {detail}")).unwrap_or_default();
    let login = match problem.code.as_deref() {
        Some("sign_in_required" | "invalid_token" | "insufficient_scope") => {
            format!("\n`clipcut login E-MAIL --server {server}` keeps a token for this and later uploads")
        }
        _ => String::new(),
    };
    bail!("the server answered {status}{detail}{login}")
}

struct Source {
    path: PathBuf,
    len: u64,
    modified: std::time::SystemTime,
}

impl Source {
    fn open(path: &Path) -> Result<Self> {
        let absent = || format!("cannot open {}", path.display());
        let path = path.canonicalize().with_context(absent)?;
        let meta = fs::metadata(&path).with_context(absent)?;
        if !meta.is_file() || meta.len() == 0 {
            bail!("{} is not a file with something in it", path.display());
        }
        Ok(Self { len: meta.len(), modified: meta.modified()?, path })
    }
}

/// The file with the URL of an unfinished upload, so that the next run resumes it.
struct ResumeFile(Option<PathBuf>);

impl ResumeFile {
    fn of(source: &Source, server: &Url) -> Self {
        let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
        let state = state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state")));
        // A changed file gets another name: its bytes must not go on behind those of the old one.
        let print = format!("{server} {} {} {:?}", source.path.display(), source.len, source.modified);
        let name: String = Sha256::digest(print).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Self(state.map(|folder| folder.join("clipcut/uploads").join(name)))
    }

    fn read(&self) -> Option<Url> {
        fs::read_to_string(self.0.as_ref()?).ok()?.parse().ok()
    }

    fn write(&self, upload: &Url) -> Result<()> {
        let Some(path) = &self.0 else { return Ok(()) };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, upload.as_str())?)
    }

    fn remove(&self) {
        // A file that stays is found stale by the next run: the server answers 404 for its upload.
        if let Some(path) = &self.0 {
            let _ = fs::remove_file(path);
        }
    }
}
