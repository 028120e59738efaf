//! The transfer of a file by tus 1.0.0: where the server's count stands, the rest from there on, in smaller requests where a
//! proxy does not let large ones pass.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, Result, bail};
use futures::StreamExt;
use reqwest::{Client, StatusCode, Url};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::{retries::Retries, source::Source};
use crate::{
    commands::refusal::{is_problem, refuse_errors},
    progress::{Progress, Unit},
};

// Two thousand reads a second carry 4 Gbit/s; smaller ones would spend the time in calls.
const READ_BYTES: usize = 256 * 1024;
const SHOW_EVERY: Duration = Duration::from_millis(200);
// nginx lets 1 MiB pass by default, CDNs 100 MB; a proxy below the least is not set up for uploads at all.
const PIECES: [u64; 5] = [64 << 20, 16 << 20, 4 << 20, 1 << 20, 256 << 10];

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

/// The state of an upload at the server.
pub(super) struct Reached {
    /// The bytes that it has.
    pub(super) offset: u64,
    /// The largest request that it wants.
    pub(super) piece: Option<u64>,
}

/// Returns what the server has of the upload, or `None` when the upload has expired there.
pub(super) async fn reached(client: &Client, upload: &Url) -> Result<Option<Reached>> {
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
pub(super) struct Transfer<'a> {
    pub(super) client: &'a Client,
    pub(super) source: &'a Source,
    pub(super) upload: &'a Url,
    /// The largest request; without one, the whole rest of the file.
    pub(super) piece: Option<u64>,
}

impl Transfer<'_> {
    pub(super) async fn run(mut self) -> Result<()> {
        let mut bar = Progress::new("uploading", Unit::Bytes, self.source.len);
        let mut retries = Retries::default();
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
                        furthest = reached.offset;
                        retries = Retries::default();
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
            let broke_off = "the upload broke off; run the same command again to go on";
            retries.pause(error, |line| bar.note(line)).await.map_err(|error| error.context(broke_off))?;
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
