//! `clipcut upload`: a client that resumes, in the same run or the next, and waits out a server that restarts. Leaves the bytes'
//! way to `transfer`.

mod retries;
mod source;
mod transfer;

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::{Client, Url};
use serde::Deserialize;

use self::{
    retries::{Retries, persist},
    source::{ResumeFile, Source},
    transfer::{Transfer, reached},
};
use super::{refusal::refuse_errors, token};
use crate::{
    progress::{self, Progress, Unit},
    setting::{Setting, Size},
};

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

/// The part of a video's document that is shown here.
#[derive(Debug, Deserialize)]
struct Document {
    state: String,
    error: Option<Failure>,
    duration_seconds: Option<f64>,
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
    /// A server of before does not know it.
    speed: Option<f64>,
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
        // HEAD finds out whether an upload still exists (tus 1.0.0, Core).
        Some(url) if persist(print, async || reached(&client, &url).await).await?.is_some() => url,
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
    let uploads = args.server.join("/api/v1/uploads")?;
    // A try whose answer got lost has made an upload: the next one gets that, by the key.
    let key = BASE64_STANDARD.encode(rand::random::<[u8; 16]>());
    let request = || {
        let request =
            client.post(uploads.clone()).header("Tus-Resumable", "1.0.0").header("Idempotency-Key", &key);
        request.header("Upload-Length", source.len).header("Upload-Metadata", &metadata)
    };
    // An address at which nobody listens is a mistake more often than a restart.
    let first = request().send().await.with_context(|| format!("cannot reach {}", args.server))?;
    let response = match refuse_errors(first).await {
        Ok(response) => response,
        Err(error) => {
            Retries::default().pause(error, print).await?;
            persist(print, async || refuse_errors(request().send().await?).await).await?
        }
    };
    let location = response
        .headers()
        .get("Location")
        .and_then(|v| v.to_str().ok())
        .context("the server gave no upload URL")?;
    // Location may be relative (RFC 9110 §10.2.2), and redirects may have changed the base.
    Ok(response.url().join(location)?)
}

async fn follow(client: &Client, video: &Url) -> Result<()> {
    let mut bar = Progress::new("encoding", Unit::Segments, 0);
    loop {
        let document = persist(|line| bar.note(line), async || show(client, video).await).await?;
        let renditions = document.renditions.iter().map(|it| progress::Rendition {
            published: it.segments_published,
            total: it.segments_total,
            speed: it.speed,
        });
        bar.set_renditions(document.duration_seconds, &renditions.collect::<Vec<_>>());
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

async fn show(client: &Client, video: &Url) -> Result<Document> {
    let response = refuse_errors(client.get(video.clone()).send().await?).await?;
    Ok(response.json().await?)
}

fn print(line: &str) {
    eprintln!("{line}");
}
