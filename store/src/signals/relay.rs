//! Signals between processes, over Redis' channels `clipcut:uploaded`, `clipcut:progress`,
//! `clipcut:published`, `clipcut:ready`, `clipcut:hidden`, `clipcut:deleted`, `clipcut:ended`, `clipcut:takeover`, `clipcut:work` and
//! `clipcut:missed`. A message is the id of the video, or of the person whose session ended, and the sender's, with a space between, and behind another what is more to say: a segment's
//! name, or that an upload has more bytes.
//!
//! Redis keeps none of them (pub/sub delivers at most once), so after any gap all subscribers get `Missed`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::StreamExt;
use redis::{Client, Msg, RedisResult, aio::ConnectionManager};
use tokio::{
    sync::mpsc::{self, error::TrySendError},
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::bus::{LocalBus, Signal, Topic};
use crate::{Result, VideoId, redis::connection};

// Messages not sent yet. Past this, the other processes get `Missed` in their place.
const BACKLOG: usize = 1024;
const TOGETHER: usize = 128;
// A half-open TCP connection looks like an idle one; a ping shows which it is.
const PING_EVERY: Duration = Duration::from_secs(2);
const TIMEOUT: Duration = Duration::from_secs(3);
// Jittered, so that a Redis that comes back does not get all processes in the same moment.
const PAUSE_MS: std::ops::Range<u64> = 200..1200;

/// The queue to the other processes.
#[derive(Clone, Debug)]
pub(super) struct Relay {
    queue: mpsc::Sender<Message>,
    /// Something was not sent for want of room.
    overflowed: Arc<AtomicBool>,
    /// The tasks end with the last handle.
    _running: Arc<DropGuard>,
}

#[derive(Clone, Debug)]
enum Message {
    Video(Topic, Signal),
    Takeover(VideoId),
    Work,
    Missed,
}

impl Relay {
    pub(super) fn start(url: &str, bus: LocalBus) -> Result<Self> {
        let client = Client::open(url)?;
        // A connection that has subscribed takes no PUBLISH (Redis, RESP2), so there are two.
        let outgoing = connection(&client)?;
        let (queue, queued) = mpsc::channel(BACKLOG);
        let overflowed = Arc::new(AtomicBool::new(false));
        let running = CancellationToken::new();
        // The sending process, by which our own messages are skipped: local subscribers have them already.
        let sender = VideoId::random().to_string();
        let publisher = Publisher {
            connection: outgoing,
            queued,
            overflowed: overflowed.clone(),
            sender: sender.clone(),
        };
        let stop = running.clone();
        tokio::spawn(async move { stop.run_until_cancelled_owned(publisher.run()).await });
        let stop = running.clone();
        tokio::spawn(async move { stop.run_until_cancelled_owned(receive(client, bus, sender)).await });
        Ok(Self { queue, overflowed, _running: Arc::new(running.drop_guard()) })
    }

    pub(super) fn publish(&self, topic: Topic, signal: Signal) {
        self.send(Message::Video(topic, signal));
    }

    pub(super) fn request_takeover(&self, upload: &VideoId) {
        self.send(Message::Takeover(upload.clone()));
    }

    pub(super) fn notify_workers(&self) {
        self.send(Message::Work);
    }

    /// Has all other processes look at everything again.
    pub(super) fn publish_missed(&self) {
        self.send(Message::Missed);
    }

    fn send(&self, message: Message) {
        // The queue is never waited for: signals are published in the middle of requests, and may be lost.
        if let Err(TrySendError::Full(_)) = self.queue.try_send(message) {
            self.overflowed.store(true, Ordering::Relaxed);
        }
    }
}

impl Message {
    fn channel(&self) -> &'static str {
        match self {
            Self::Video(Topic::Uploaded, _) => "clipcut:uploaded",
            Self::Video(Topic::Progress, _) => "clipcut:progress",
            Self::Video(Topic::Published, _) => "clipcut:published",
            Self::Video(Topic::Ready, _) => "clipcut:ready",
            Self::Video(Topic::Hidden, _) => HIDDEN,
            Self::Video(Topic::Deleted, _) => DELETED,
            Self::Video(Topic::Ended, _) => ENDED,
            Self::Takeover(_) => TAKEOVER,
            Self::Work => WORK,
            Self::Missed => MISSED,
        }
    }

    /// Returns its text. Processes of a version before know nothing behind the sender, and take it for a change.
    fn text(&self, sender: &str) -> String {
        let id = match self {
            Self::Video(_, Signal::Ended(user)) => user.as_str(),
            Self::Video(_, signal) => signal.video().map_or("-", VideoId::as_str),
            Self::Takeover(id) => id.as_str(),
            Self::Work | Self::Missed => "-",
        };
        match self {
            Self::Video(_, Signal::Published(_, segment)) => format!("{id} {sender} {segment}"),
            Self::Video(_, Signal::Progress(_)) => format!("{id} {sender} {BYTES}"),
            _ => format!("{id} {sender}"),
        }
    }
}

const BYTES: &str = "bytes";
const HIDDEN: &str = "clipcut:hidden";
const DELETED: &str = "clipcut:deleted";
const ENDED: &str = "clipcut:ended";
const TAKEOVER: &str = "clipcut:takeover";
const WORK: &str = "clipcut:work";
const MISSED: &str = "clipcut:missed";
const CHANNELS: [&str; 10] = [
    "clipcut:uploaded",
    "clipcut:progress",
    "clipcut:published",
    "clipcut:ready",
    HIDDEN,
    DELETED,
    ENDED,
    TAKEOVER,
    WORK,
    MISSED,
];

struct Publisher {
    connection: ConnectionManager,
    queued: mpsc::Receiver<Message>,
    overflowed: Arc<AtomicBool>,
    sender: String,
}

impl Publisher {
    async fn run(mut self) {
        let mut batch = Vec::new();
        while self.queued.recv_many(&mut batch, TOGETHER).await > 0 {
            if self.overflowed.swap(false, Ordering::Relaxed) {
                batch.push(Message::Missed);
            }
            if let Err(error) = self.publish(&batch).await {
                tracing::warn!(%error, "redis unavailable; other processes poll");
                self.publish_missed().await;
                tracing::info!("redis available again");
            }
            batch.clear();
        }
    }

    /// Publishes `Missed` as soon as Redis answers.
    async fn publish_missed(&mut self) {
        loop {
            sleep(Duration::from_millis(rand::random_range(PAUSE_MS))).await;
            // `Missed` stands for all of them.
            while self.queued.try_recv().is_ok() {}
            if self.publish(&[Message::Missed]).await.is_ok() {
                return;
            }
        }
    }

    async fn publish(&mut self, batch: &[Message]) -> RedisResult<()> {
        let mut pipe = redis::pipe();
        for message in batch {
            pipe.publish(message.channel(), message.text(&self.sender)).ignore();
        }
        pipe.query_async(&mut self.connection).await
    }
}

/// Receives from other processes for as long as this one lives.
async fn receive(client: Client, bus: LocalBus, sender: String) {
    let mut warned = false;
    loop {
        let lost = match timeout(TIMEOUT, client.get_async_pubsub()).await {
            Ok(Ok(connection)) => {
                let (sink, stream) = connection.split();
                warned = false;
                receive_from(sink, stream, &bus, &sender).await
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        // An outage is logged once: its tries come about each second.
        if !std::mem::replace(&mut warned, true) {
            tracing::warn!(error = lost, "redis subscription lost; connecting again");
        }
        sleep(Duration::from_millis(rand::random_range(PAUSE_MS))).await;
    }
}

/// Receives from one connection until its end. Returns why it ended.
async fn receive_from(
    mut sink: redis::aio::PubSubSink,
    mut stream: redis::aio::PubSubStream,
    bus: &LocalBus,
    sender: &str,
) -> String {
    match timeout(TIMEOUT, sink.subscribe(&CHANNELS)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return error.to_string(),
        Err(_) => return "no answer".to_owned(),
    }
    // Messages from before the subscription are gone for good.
    bus.look_again();
    let mut pings = interval(PING_EVERY);
    // A machine that was suspended would else send all the pings that it slept through at once.
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(message) => take(&message, bus, sender),
                None => return "the connection was closed".to_owned(),
            },
            _ = pings.tick() => match timeout(TIMEOUT, sink.ping::<redis::Value>()).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return error.to_string(),
                Err(_) => return "no answer".to_owned(),
            },
        }
    }
}

fn take(message: &Msg, bus: &LocalBus, sender: &str) {
    // Channels are open to everything that reaches Redis; messages of another form are not ours.
    let Ok(text) = message.get_payload::<String>() else { return };
    let mut words = text.splitn(3, ' ');
    let (Some(id), Some(from)) = (words.next(), words.next()) else { return };
    let more = words.next();
    if from == sender {
        return;
    }
    match (message.get_channel_name(), id.parse()) {
        (WORK, _) => bus.notify_workers(),
        (MISSED, _) => bus.look_again(),
        (ENDED, _) => bus.publish(Signal::Ended(id.to_owned().into())),
        (HIDDEN, Ok(id)) => bus.publish(Signal::Hidden(id)),
        (DELETED, Ok(id)) => bus.publish(Signal::Deleted(id)),
        (TAKEOVER, Ok(id)) => bus.request_takeover(id),
        (_, Ok(id)) => bus.publish(match more.map(str::parse) {
            Some(Ok(segment)) => Signal::Published(id, segment),
            Some(Err(())) if more == Some(BYTES) => Signal::Progress(id),
            // Whatever a newer version says of it, the row is to be read again.
            _ => Signal::Changed(id),
        }),
        (_, Err(_)) => {}
    }
}
