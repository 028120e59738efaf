//! In charge of news between processes, over Redis' channels `clipcut:uploaded`, `clipcut:progress`,
//! `clipcut:published`, `clipcut:ready`, `clipcut:deleted`, `clipcut:takeover`, `clipcut:work` and `clipcut:missed`. A
//! message is the video's id and the sender's, with a space between.
//!
//! Redis keeps nothing of this. Whoever was cut off, or could not speak, has everybody look again.

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

use super::{LocalBus, Signal, Topic};
use crate::{Result, VideoId, redis::connection};

// What is not sent yet. Past this, the others are told that they missed something.
const BACKLOG: usize = 1024;
const TOGETHER: usize = 128;
// A connection whose other end is gone without a word looks like one on which nothing is said.
const ASK_AFTER: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_secs(3);
// Spread, so that a Redis that comes back is not met by everybody in the same moment.
const PAUSE_MS: std::ops::Range<u64> = 200..1200;

/// The way to the other processes.
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
    Video(Topic, VideoId),
    Takeover(VideoId),
    Work,
    Missed,
}

impl Relay {
    pub(super) fn start(url: &str, bus: LocalBus) -> Result<Self> {
        let client = Client::open(url)?;
        let speaks = connection(&client)?;
        let (queue, queued) = mpsc::channel(BACKLOG);
        let overflowed = Arc::new(AtomicBool::new(false));
        let running = CancellationToken::new();
        // Which process said it: our own listeners have heard it already.
        let sender = VideoId::random().to_string();
        let publisher =
            Publisher { connection: speaks, queued, overflowed: overflowed.clone(), sender: sender.clone() };
        let stop = running.clone();
        tokio::spawn(async move { stop.run_until_cancelled_owned(publisher.speak()).await });
        let stop = running.clone();
        tokio::spawn(async move { stop.run_until_cancelled_owned(listen(client, bus, sender)).await });
        Ok(Self { queue, overflowed, _running: Arc::new(running.drop_guard()) })
    }

    pub(super) fn publish(&self, topic: Topic, id: &VideoId) {
        self.send(Message::Video(topic, id.clone()));
    }

    pub(super) fn request_takeover(&self, upload: &VideoId) {
        self.send(Message::Takeover(upload.clone()));
    }

    pub(super) fn notify_workers(&self) {
        self.send(Message::Work);
    }

    fn send(&self, message: Message) {
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
            Self::Video(Topic::Deleted, _) => DELETED,
            Self::Takeover(_) => TAKEOVER,
            Self::Work => WORK,
            Self::Missed => MISSED,
        }
    }

    fn id(&self) -> &str {
        match self {
            Self::Video(_, id) | Self::Takeover(id) => id.as_str(),
            Self::Work | Self::Missed => "-",
        }
    }
}

const DELETED: &str = "clipcut:deleted";
const TAKEOVER: &str = "clipcut:takeover";
const WORK: &str = "clipcut:work";
const MISSED: &str = "clipcut:missed";
const CHANNELS: [&str; 8] = [
    "clipcut:uploaded",
    "clipcut:progress",
    "clipcut:published",
    "clipcut:ready",
    DELETED,
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
    async fn speak(mut self) {
        let mut batch = Vec::new();
        while self.queued.recv_many(&mut batch, TOGETHER).await > 0 {
            if self.overflowed.swap(false, Ordering::Relaxed) {
                batch.push(Message::Missed);
            }
            if let Err(error) = self.publish(&batch).await {
                tracing::warn!(%error, "redis is away; the others hear nothing and look by themselves");
                self.make_up().await;
                tracing::info!("redis is back");
            }
            batch.clear();
        }
    }

    /// Tells the others that they missed something, as soon as that is possible.
    async fn make_up(&mut self) {
        loop {
            sleep(Duration::from_millis(rand::random_range(PAUSE_MS))).await;
            // All of it is in what is told then.
            while self.queued.try_recv().is_ok() {}
            if self.publish(&[Message::Missed]).await.is_ok() {
                return;
            }
        }
    }

    async fn publish(&mut self, batch: &[Message]) -> RedisResult<()> {
        let mut pipe = redis::pipe();
        for message in batch {
            pipe.publish(message.channel(), format!("{} {}", message.id(), self.sender)).ignore();
        }
        pipe.query_async(&mut self.connection).await
    }
}

/// Hears what other processes say, for as long as this one lives.
async fn listen(client: Client, bus: LocalBus, sender: String) {
    let mut told = false;
    loop {
        let lost = match timeout(PATIENCE, client.get_async_pubsub()).await {
            Ok(Ok(connection)) => {
                let (sink, stream) = connection.split();
                told = false;
                follow(sink, stream, &bus, &sender).await
            }
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer".to_owned(),
        };
        if !std::mem::replace(&mut told, true) {
            tracing::warn!(error = lost, "hears nothing over redis; connecting again");
        }
        sleep(Duration::from_millis(rand::random_range(PAUSE_MS))).await;
    }
}

/// Hears one connection to its end. Returns why it ended.
async fn follow(
    mut sink: redis::aio::PubSubSink,
    mut stream: redis::aio::PubSubStream,
    bus: &LocalBus,
    sender: &str,
) -> String {
    match timeout(PATIENCE, sink.subscribe(&CHANNELS)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return error.to_string(),
        Err(_) => return "no answer".to_owned(),
    }
    // What was said before is said again by nobody.
    bus.look_again();
    let mut ask = interval(ASK_AFTER);
    ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            message = stream.next() => match message {
                Some(message) => take(&message, bus, sender),
                None => return "the connection was closed".to_owned(),
            },
            _ = ask.tick() => match timeout(PATIENCE, sink.ping::<redis::Value>()).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return error.to_string(),
                Err(_) => return "no answer".to_owned(),
            },
        }
    }
}

fn take(message: &Msg, bus: &LocalBus, sender: &str) {
    let Ok(text) = message.get_payload::<String>() else { return };
    let Some((id, from)) = text.split_once(' ') else { return };
    if from == sender {
        return;
    }
    match (message.get_channel_name(), id.parse()) {
        (WORK, _) => bus.notify_workers(),
        (MISSED, _) => bus.look_again(),
        (DELETED, Ok(id)) => bus.publish(Signal::Deleted(id)),
        (TAKEOVER, Ok(id)) => bus.request_takeover(id),
        (_, Ok(id)) => bus.publish(Signal::Changed(id)),
        (_, Err(_)) => {}
    }
}
