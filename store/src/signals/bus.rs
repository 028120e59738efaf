//! The channels behind the signals of one process. Leaves other processes to `relay`.

use std::{fmt, str::FromStr};

use tokio::sync::{broadcast, watch};

use crate::{UserId, VideoId};

// Subscribers that lag by more get an error from the channel, and read the database then.
const BACKLOG: usize = 1024;

/// One signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A video's document changed, and its playlists or captions may have.
    Changed(VideoId),
    /// More bytes of a video's upload are there.
    Progress(VideoId),
    /// A segment of a video can be played.
    Published(VideoId, SegmentName),
    /// Fewer people may watch a video than before, or others: what caches have of it must go.
    Hidden(VideoId),
    /// A video is gone.
    Deleted(VideoId),
    /// A session, a token or a right of a person has ended: what runs by it is to end.
    Ended(UserId),
    /// Signals of any video may have been lost.
    Missed,
}

/// A segment of a video.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentName {
    /// The rendition's name.
    pub rendition: String,
    /// The segment's number.
    pub number: u32,
}

/// The topic of a change, by which subscribers outside of Clip Cut choose their channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// The last byte of an upload is there.
    Uploaded,
    /// Anything else that a video's document shows.
    Progress,
    /// A segment can be played.
    Published,
    /// All of a video can be played.
    Ready,
    /// Other people may watch a video than before.
    Hidden,
    /// A video is gone.
    Deleted,
    /// Something that let a person in has ended.
    Ended,
}

/// The channels of this process.
#[derive(Clone, Debug)]
pub(super) struct LocalBus {
    pub(super) videos: broadcast::Sender<Signal>,
    pub(super) work: watch::Sender<()>,
    pub(super) takeovers: broadcast::Sender<VideoId>,
}

impl Signal {
    /// Returns the video that it is about; `None` where it may be any, or is about none.
    pub fn video(&self) -> Option<&VideoId> {
        match self {
            Self::Changed(id)
            | Self::Progress(id)
            | Self::Published(id, _)
            | Self::Hidden(id)
            | Self::Deleted(id) => Some(id),
            Self::Ended(_) | Self::Missed => None,
        }
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.rendition, self.number)
    }
}

impl FromStr for SegmentName {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (rendition, number) = text.rsplit_once('/').ok_or(())?;
        Ok(Self { rendition: rendition.to_owned(), number: number.parse().map_err(drop)? })
    }
}

impl LocalBus {
    pub(super) fn new() -> Self {
        Self {
            videos: broadcast::channel(BACKLOG).0,
            // A watch keeps no queue: workers need to know that there is work, not how often it came.
            work: watch::Sender::new(()),
            takeovers: broadcast::channel(BACKLOG).0,
        }
    }

    pub(super) fn publish(&self, signal: Signal) {
        // Without a subscriber there is nothing to do.
        let _ = self.videos.send(signal);
    }

    pub(super) fn request_takeover(&self, upload: VideoId) {
        let _ = self.takeovers.send(upload);
    }

    pub(super) fn notify_workers(&self) {
        self.work.send_replace(());
    }

    /// Signals lost in an outage may have been about any video and any job.
    pub(super) fn look_again(&self) {
        self.publish(Signal::Missed);
        self.notify_workers();
    }
}
