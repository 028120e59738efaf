//! One file of a hub on its way to this machine, resumed by a range where an earlier pull broke off.

use std::{fs, io::Write, path::Path};

use futures::StreamExt;
use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_RANGE, RANGE},
};

use crate::{Error, Result};

// The largest Whisper's plain encoder has 2.5 GB, in a file of its own.
const MAX_FILE_BYTES: u64 = 8 << 30;

/// A file of the hub on its way to this machine.
pub(super) struct Download<'a> {
    pub(super) url: &'a str,
    /// Its length, if that is known.
    pub(super) bytes: Option<u64>,
    pub(super) to: &'a Path,
}

/// Brings what is missing of a file; reports the bytes, those that were here first.
pub(super) async fn fetch(
    client: &Client,
    download: Download<'_>,
    report: &mut impl FnMut(u64),
) -> Result<()> {
    let Download { url, bytes, to } = download;
    let have = fs::metadata(to).map_or(0, |meta| meta.len());
    if bytes == Some(have) {
        report(have);
        return Ok(());
    }
    let mut request = client.get(url);
    // Without a known length, or with more than that, there is no telling what a range would complete.
    let resumes = have > 0 && bytes.is_some_and(|bytes| have < bytes);
    if resumes {
        request = request.header(RANGE, format!("bytes={have}-"));
    }
    let answer = request.send().await.map_err(|e| failed(url, &e))?;
    if !answer.status().is_success() {
        return Err(refused(url, answer.status()));
    }
    // A server may ignore Range and answer 200 with the whole (RFC 9110 §14.2); the file then begins anew.
    let goes_on = answer.status() == StatusCode::PARTIAL_CONTENT;
    if goes_on && !(resumes && begins_at(&answer, have)) {
        return Err(Error::Request(format!("{url} answers another range than the rest from byte {have} on")));
    }
    let mut written = if goes_on { have } else { 0 };
    report(written);
    let mut out =
        fs::OpenOptions::new().create(true).write(true).append(goes_on).truncate(!goes_on).open(to)?;
    let mut body = answer.bytes_stream();
    while let Some(more) = body.next().await {
        let more = more.map_err(|e| failed(url, &e))?;
        written += more.len() as u64;
        if written > bytes.unwrap_or(MAX_FILE_BYTES).min(MAX_FILE_BYTES) {
            return Err(Error::Request(format!("{url} is larger than announced")));
        }
        out.write_all(&more)?;
        report(more.len() as u64);
    }
    out.sync_all()?;
    if bytes.is_some_and(|bytes| written < bytes) {
        return Err(Error::Request(format!(
            "{url} ends after {written} bytes, before its end; run the same command again to go on"
        )));
    }
    Ok(())
}

fn begins_at(answer: &Response, byte: u64) -> bool {
    let range = answer.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    range.is_some_and(|range| range.starts_with(&format!("bytes {byte}-")))
}

pub(super) fn failed(url: &str, e: &reqwest::Error) -> Error {
    // Its own message hides the cause.
    let cause = std::error::Error::source(e).map_or_else(|| e.to_string(), ToString::to_string);
    Error::Request(format!("cannot get {url}: {cause}; run the same command again to go on"))
}

pub(super) fn refused(url: &str, status: StatusCode) -> Error {
    Error::Request(format!("cannot get {url}: the hub answers {status}"))
}
