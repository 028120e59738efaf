//! In charge of news: something changed, look again. News may be lost; what it is about is in SQL.

use tokio::sync::{broadcast, watch};

use crate::VideoId;

// Slow listeners miss news past this many and are told so; they look at the database then.
const BACKLOG: usize = 1024;

/// One piece of news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A video's document changed.
    Changed(VideoId),
    /// A video is gone.
    Deleted(VideoId),
}

/// In-process news.
#[derive(Clone, Debug)]
pub struct Signals {
    videos: broadcast::Sender<Signal>,
    work: watch::Sender<()>,
}

impl Signals {
    pub(crate) fn new() -> Self {
        Self { videos: broadcast::channel(BACKLOG).0, work: watch::Sender::new(()) }
    }

    /// Returns a receiver of all news from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.videos.subscribe()
    }

    /// Tells everybody about a video.
    pub fn tell(&self, signal: Signal) {
        // Nobody listening is fine.
        let _ = self.videos.send(signal);
    }

    /// Returns a receiver whose `changed` wakes when there may be new work, also if that came before the wait.
    pub fn work(&self) -> watch::Receiver<()> {
        self.work.subscribe()
    }

    pub(crate) fn tell_workers(&self) {
        self.work.send_replace(());
    }
}
