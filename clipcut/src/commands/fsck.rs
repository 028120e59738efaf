//! `clipcut fsck`: rows against blobs, both ways, and blobs against the digests that were written with them.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use futures::TryStreamExt;
use store::{Listing, Shown, State, Store, Video, VideoId};

use crate::config::Config;

// Videos are read in pages, so that a library of any size is checked in little memory.
const PAGE: u32 = 100;
const PLAYLISTS: [&str; 2] = ["master.m3u8", "manifest.mpd"];

/// The flags of `clipcut fsck`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Delete what belongs to no video, and have playlists that are lost or damaged written again
    #[arg(long)]
    mend: bool,
}

/// Checks everything that is kept and prints each fault. An error where one is left.
pub(crate) async fn run(config: &Config, args: &Args) -> Result<()> {
    let store = config.store().await?;
    let mut check = Check { store: &store, mend: args.mend, blobs: 0, bytes: 0, faults: 0, mended: 0 };
    let (mut videos, mut after) = (0, None);
    loop {
        let page =
            store.videos.list(Listing { after: after.as_ref(), ..Listing::of(&Shown::All) }, PAGE).await?;
        for video in &page.videos {
            check.video(video).await?;
        }
        videos += page.videos.len();
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    for top in ["sources", "videos"] {
        check.orphans(top).await?;
    }
    let Check { blobs, bytes, faults, mended, .. } = check;
    println!("{videos} videos, {blobs} blobs and {bytes} bytes read: {faults} faults, {mended} mended");
    if faults > mended {
        bail!(
            "{} faults are left: restore what is missing or damaged from a backup, or upload the video again",
            faults - mended
        );
    }
    Ok(())
}

struct Check<'a> {
    store: &'a Store,
    mend: bool,
    blobs: u64,
    bytes: u64,
    faults: u64,
    mended: u64,
}

/// The state of a blob that should be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Whole,
    Faulty,
}

impl Check<'_> {
    /// Checks what the rows of a video promise, and that there are rows for its segments.
    async fn video(&mut self, video: &Video) -> Result<()> {
        if video.state == State::Uploading {
            return Ok(());
        }
        self.blob(&video.id.source()).await?;
        if !matches!(video.state, State::Planned | State::Playable | State::Ready) {
            return Ok(());
        }
        self.playlists(&video.id).await?;
        for progress in self.store.renditions.of(&video.id).await? {
            self.rendition(&video.id, &progress.rendition.name).await?;
        }
        Ok(())
    }

    async fn playlists(&mut self, video: &VideoId) -> Result<()> {
        let mut faulty = 0;
        for name in PLAYLISTS {
            faulty += u64::from(self.blob(&format!("{}/{name}", video.folder())).await? == Found::Faulty);
        }
        if self.mend && faulty > 0 {
            self.store.jobs.requeue_playlists(video).await?;
            println!("queued     the playlists of {video}, which a packager writes again");
            self.mended += faulty;
        }
        Ok(())
    }

    async fn rendition(&mut self, video: &VideoId, name: &str) -> Result<()> {
        let folder = format!("{}/{name}", video.folder());
        // The blobs come first: a segment that is published meanwhile has its blob before its row.
        let blobs = self.store.blobs.children(&folder).await?;
        let rows = self.store.renditions.segments(video, name).await?;
        let rows: BTreeSet<u32> = rows.iter().map(|segment| segment.number).collect();
        if !rows.is_empty() {
            self.blob(&format!("{folder}/init.mp4")).await?;
        }
        for number in &rows {
            self.blob(&format!("{folder}/{number}.m4s")).await?;
        }
        for blob in blobs {
            let number = blob.strip_suffix(".m4s").and_then(|number| number.parse::<u32>().ok());
            if number.is_some_and(|number| !rows.contains(&number)) {
                self.unrecorded(video, name, &blob).await?;
            }
        }
        Ok(())
    }

    async fn unrecorded(&mut self, video: &VideoId, name: &str, blob: &str) -> Result<()> {
        // An encoder writes the blob, then the row: while it works there may be one in between.
        let state = self.store.videos.get(video).await?.map(|video| video.state);
        if state == Some(State::Ready) {
            self.fault("unrecorded", &format!("{}/{name}/{blob}: its row is gone", video.folder()));
        }
        Ok(())
    }

    /// Reads a blob that a row promises to its end, which compares it with its digest where the store has one.
    async fn blob(&mut self, key: &str) -> Result<Found> {
        let problem = match self.read(key).await {
            Ok(Some(bytes)) => {
                self.blobs += 1;
                self.bytes += bytes;
                return Ok(Found::Whole);
            }
            Ok(None) => ("missing", key.to_owned()),
            Err(error @ (store::Error::Damaged { .. } | store::Error::Io { .. })) => {
                ("damaged", error.to_string())
            }
            // A server that is away is no fault of the blob.
            Err(error) => return Err(error.into()),
        };
        self.fault(problem.0, &problem.1);
        Ok(Found::Faulty)
    }

    async fn read(&self, key: &str) -> store::Result<Option<u64>> {
        let Some(blob) = self.store.blobs.open_blob(key).await? else { return Ok(None) };
        let (len, mut read) = (blob.len, 0);
        let mut pieces = blob.read_range(0..len).await?;
        while let Some(piece) = pieces.try_next().await? {
            read += piece.len() as u64;
        }
        Ok(Some(read))
    }

    /// Looks for blobs below `top` that belong to no video.
    async fn orphans(&mut self, top: &str) -> Result<()> {
        for name in self.store.blobs.children(top).await? {
            let known = match name.parse::<VideoId>() {
                Ok(id) => self.store.videos.get(&id).await?.is_some(),
                Err(_) => false,
            };
            if known {
                continue;
            }
            let key = format!("{top}/{name}");
            self.fault("orphan", &key);
            if self.mend {
                self.store.blobs.delete_all(&key).await?;
                println!("deleted    {key}");
                self.mended += 1;
            }
        }
        Ok(())
    }

    fn fault(&mut self, kind: &str, what: &str) {
        println!("{kind:<10} {what}");
        self.faults += 1;
    }
}
