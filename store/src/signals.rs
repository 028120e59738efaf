//! In charge of news: something changed, look again. News may be lost; what it is about is in SQL. Within a process
//! it goes to everybody who listens; between the processes of a cluster `relay` carries it over Redis.

mod relay;

use tokio::sync::{broadcast, watch};

use crate::{Result, VideoId};
use relay::Relay;

// Slow listeners miss news past this many and are told so; they look at the database then.
const BACKLOG: usize = 1024;

/// One piece of news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// A video's document changed.
    Changed(VideoId),
    /// A video is gone.
    Deleted(VideoId),
    /// There may have been news of any video that nobody could bring.
    Missed,
}

/// What kind of change it was, by which listeners outside of Clip Cut choose their channels.
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
    /// A video is gone.
    Deleted,
}

/// News for everybody who waits.
#[derive(Clone, Debug)]
pub struct Signals {
    bus: LocalBus,
    relay: Option<Relay>,
}

/// The listeners of this process.
#[derive(Clone, Debug)]
struct LocalBus {
    videos: broadcast::Sender<Signal>,
    work: watch::Sender<()>,
    takeovers: broadcast::Sender<VideoId>,
}

impl Signals {
    /// News that stays in this process.
    pub fn in_process() -> Self {
        Self { bus: LocalBus::new(), relay: None }
    }

    /// News of all processes that name the same Redis by its `url`. Needs none to be there yet: while it is away,
    /// everybody hears of their own process alone, and afterwards that there may have been news.
    pub fn over_redis(url: &str) -> Result<Self> {
        let bus = LocalBus::new();
        let relay = Relay::start(url, bus.clone())?;
        Ok(Self { bus, relay: Some(relay) })
    }

    /// Returns a receiver of all news from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.bus.videos.subscribe()
    }

    /// Returns a receiver of the uploads that somebody wants to go on with while another has them.
    pub fn takeover_requests(&self) -> broadcast::Receiver<VideoId> {
        self.bus.takeovers.subscribe()
    }

    /// Asks whoever has the upload for the right to go on with it.
    pub fn request_takeover(&self, upload: &VideoId) {
        if let Some(relay) = &self.relay {
            relay.request_takeover(upload);
        }
        self.bus.request_takeover(upload.clone());
    }

    /// Tells everybody about a video.
    pub fn publish(&self, signal: Signal) {
        let topic = match signal {
            Signal::Deleted(_) => Topic::Deleted,
            Signal::Changed(_) | Signal::Missed => Topic::Progress,
        };
        self.publish_as(topic, signal);
    }

    /// Returns a receiver whose `changed` wakes when there may be new work, also if that came before the wait.
    pub fn work(&self) -> watch::Receiver<()> {
        self.bus.work.subscribe()
    }

    pub(crate) fn publish_as(&self, topic: Topic, signal: Signal) {
        if let (Some(relay), Signal::Changed(id) | Signal::Deleted(id)) = (&self.relay, &signal) {
            relay.publish(topic, id);
        }
        self.bus.publish(signal);
    }

    pub(crate) fn notify_workers(&self) {
        if let Some(relay) = &self.relay {
            relay.notify_workers();
        }
        self.bus.notify_workers();
    }
}

impl LocalBus {
    fn new() -> Self {
        Self {
            videos: broadcast::channel(BACKLOG).0,
            work: watch::Sender::new(()),
            takeovers: broadcast::channel(BACKLOG).0,
        }
    }

    fn publish(&self, signal: Signal) {
        // Nobody listening is fine.
        let _ = self.videos.send(signal);
    }

    fn request_takeover(&self, upload: VideoId) {
        let _ = self.takeovers.send(upload);
    }

    fn notify_workers(&self) {
        self.work.send_replace(());
    }

    /// What was missed may have been of anything.
    fn look_again(&self) {
        self.publish(Signal::Missed);
        self.notify_workers();
    }
}
