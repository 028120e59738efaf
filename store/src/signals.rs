//! Signals: a video changed, or there is work. They may be lost, for the state itself is in SQL. Within a process they go
//! to all subscribers; between the processes of a cluster `relay` carries them over Redis.

mod bus;
mod relay;

use tokio::sync::{broadcast, watch};

use crate::{Result, VideoId};
use bus::LocalBus;
pub(crate) use bus::Topic;
pub use bus::{SegmentName, Signal};
use relay::Relay;

/// The signals of a store: a handle that is cheap to clone.
#[derive(Clone, Debug)]
pub struct Signals {
    bus: LocalBus,
    relay: Option<Relay>,
}

impl Signals {
    /// Makes signals that stay in this process.
    pub fn in_process() -> Self {
        Self { bus: LocalBus::new(), relay: None }
    }

    /// Makes signals that all processes with the same Redis `url` share. Redis need not be there yet: during an outage
    /// each process has its own signals alone, and [`Signal::Missed`] afterwards.
    pub fn over_redis(url: &str) -> Result<Self> {
        let bus = LocalBus::new();
        let relay = Relay::start(url, bus.clone())?;
        Ok(Self { bus, relay: Some(relay) })
    }

    /// Returns a receiver of all signals from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.bus.videos.subscribe()
    }

    /// Returns a receiver of uploads that a request asks for while another has them.
    pub fn takeover_requests(&self) -> broadcast::Receiver<VideoId> {
        self.bus.takeovers.subscribe()
    }

    /// Asks the request that has the upload to hand it over.
    pub fn request_takeover(&self, upload: &VideoId) {
        if let Some(relay) = &self.relay {
            // The relay skips this process' own messages, and the holder may be a request of this very process.
            relay.request_takeover(upload);
        }
        self.bus.request_takeover(upload.clone());
    }

    /// Publishes a signal about a video or a person.
    pub fn publish(&self, signal: Signal) {
        let topic = match signal {
            Signal::Deleted(_) => Topic::Deleted,
            Signal::Hidden(_) => Topic::Hidden,
            Signal::Published(..) => Topic::Published,
            Signal::Ended(_) => Topic::Ended,
            Signal::Changed(_) | Signal::Progress(_) | Signal::Missed => Topic::Progress,
        };
        self.publish_as(topic, signal);
    }

    /// Publishes that fewer people may watch some videos than before, or (`None`) any of them: caches then revalidate all that they
    /// have.
    pub(crate) fn publish_hidden(&self, videos: Option<Vec<VideoId>>) {
        if let Some(videos) = videos {
            for video in videos {
                self.publish(Signal::Hidden(video));
            }
            return;
        }
        if let Some(relay) = &self.relay {
            relay.publish_missed();
        }
        self.bus.look_again();
    }

    /// Returns a receiver whose `changed` wakes when there may be new work, also if that came before the wait.
    pub fn work(&self) -> watch::Receiver<()> {
        self.bus.work.subscribe()
    }

    pub(crate) fn publish_as(&self, topic: Topic, signal: Signal) {
        // `Missed` stays here: the gap was this process' own.
        if let Some(relay) = &self.relay
            && signal != Signal::Missed
        {
            relay.publish(topic, signal.clone());
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
