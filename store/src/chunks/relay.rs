//! Chunks between the processes of a cluster, over Redis' channel `clipcut:chunks`. A message is a line of the sender, the segment's
//! key, the chunk's number and what it is, and behind it the chunk. Redis keeps none of them: a segment with a gap breaks off.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures::StreamExt;
use redis::{Client, aio::ConnectionManager};
use tokio::{
    sync::mpsc,
    time::{interval, sleep, timeout},
};

use super::{ChunkWriter, Chunks};
use crate::{Result, VideoId, redis::connection};

const CHANNEL: &str = "clipcut:chunks";
/// Chunks not sent yet: some 100 kB each.
const BACKLOG: usize = 64;
/// Segments of other processes that are kept here at once.
const MOST_GROWING: usize = 256;
/// A segment of this size is none of ours.
const MOST_BYTES: usize = 64 << 20;
/// An encoder that is killed says nothing of it, and one that stands still is slower than the next look at what is published.
const SILENCE: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_secs(1);

/// The queue to the other processes.
#[derive(Clone, Debug)]
pub(super) struct Relay {
    client: Client,
    /// This process, by which its own messages are skipped.
    sender: String,
    queue: mpsc::Sender<Vec<u8>>,
}

/// A segment's chunks on their way.
#[derive(Debug)]
pub(super) struct Outgoing {
    relay: Relay,
    key: String,
    next: usize,
    is_lost: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    More,
    Last,
    BrokenOff,
}

impl Step {
    fn as_str(self) -> &'static str {
        match self {
            Self::More => "more",
            Self::Last => "last",
            Self::BrokenOff => "broken",
        }
    }
}

impl Relay {
    pub(super) fn start(url: &str) -> Result<Self> {
        let client = Client::open(url)?;
        let outgoing = connection(&client)?;
        let (queue, queued) = mpsc::channel(BACKLOG);
        // It ends with the last handle of the queue.
        tokio::spawn(publish(outgoing, queued));
        Ok(Self { client, sender: VideoId::random().to_string(), queue })
    }

    pub(super) fn begin(&self, key: &str) -> Outgoing {
        Outgoing { relay: self.clone(), key: key.to_owned(), next: 0, is_lost: false }
    }

    /// Takes chunks of other processes into `chunks`, for as long as it is polled.
    pub(super) async fn receive(&self, chunks: &Chunks) {
        loop {
            let mut incoming = Incoming { chunks, growing: HashMap::new() };
            if let Ok(Ok(mut subscription)) = timeout(TIMEOUT, self.client.get_async_pubsub()).await
                && matches!(timeout(TIMEOUT, subscription.subscribe(CHANNEL)).await, Ok(Ok(())))
            {
                let mut messages = subscription.on_message();
                let mut looks = interval(SILENCE / 4);
                loop {
                    tokio::select! {
                        message = messages.next() => match message {
                            Some(message) => {
                                if let Ok(message) = message.get_payload::<Vec<u8>>() {
                                    incoming.take(&message.into(), &self.sender);
                                }
                            }
                            None => break,
                        },
                        _ = looks.tick() => incoming.drop_silent(),
                    }
                }
            }
            // Without Redis a waiter gets whole segments.
            drop(incoming);
            sleep(PAUSE).await;
        }
    }
}

async fn publish(mut connection: ConnectionManager, mut queued: mpsc::Receiver<Vec<u8>>) {
    while let Some(message) = queued.recv().await {
        let sent: redis::RedisResult<()> =
            redis::cmd("PUBLISH").arg(CHANNEL).arg(message).query_async(&mut connection).await;
        if let Err(error) = sent {
            // Signals go the same way, and their relay warns.
            tracing::debug!(%error, "a chunk is lost");
        }
    }
}

impl Outgoing {
    pub(super) fn send(&mut self, step: Step, chunk: &[u8]) {
        let Self { relay, key, next, is_lost } = self;
        if *is_lost {
            return;
        }
        let mut message = format!("{} {key} {next} {}\n", relay.sender, step.as_str()).into_bytes();
        message.extend_from_slice(chunk);
        *next += 1;
        // The encoder waits for no queue; what is behind a gap is of no use.
        *is_lost = relay.queue.try_send(message).is_err();
    }
}

/// The segments of other processes.
struct Incoming<'a> {
    chunks: &'a Chunks,
    growing: HashMap<(String, String), Foreign>,
}

struct Foreign {
    writer: ChunkWriter,
    next: usize,
    bytes: usize,
    at: Instant,
}

impl Incoming<'_> {
    fn take(&mut self, message: &Bytes, own: &str) {
        let Some(end) = message.iter().position(|byte| *byte == b'\n') else { return };
        let Ok(line) = std::str::from_utf8(&message[..end]) else { return };
        let words: Vec<&str> = line.split(' ').collect();
        let [sender, key, number, step] = words[..] else { return };
        let Ok(number) = number.parse::<usize>() else { return };
        if sender == own {
            return;
        }
        let chunk = message.slice(end + 1..);
        let name = (sender.to_owned(), key.to_owned());
        let step = [Step::More, Step::Last].into_iter().find(|it| it.as_str() == step);
        if number == 0 && step == Some(Step::More) {
            if self.growing.len() < MOST_GROWING {
                let (bytes, writer) = (chunk.len(), self.chunks.begin_here(key, chunk));
                self.growing.insert(name, Foreign { writer, next: 1, bytes, at: Instant::now() });
            }
            return;
        }
        // Dropped, it breaks off.
        let Some(mut foreign) = self.growing.remove(&name) else { return };
        foreign.bytes += chunk.len();
        if number != foreign.next || foreign.bytes > MOST_BYTES {
            return;
        }
        match step {
            Some(Step::Last) => foreign.writer.end(chunk),
            Some(_) => {
                foreign.writer.push(chunk);
                (foreign.next, foreign.at) = (number + 1, Instant::now());
                self.growing.insert(name, foreign);
            }
            None => {}
        }
    }

    fn drop_silent(&mut self) {
        self.growing.retain(|_, foreign| foreign.at.elapsed() < SILENCE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "videos/v/480p/3.m4s";

    fn message(line: &str, chunk: &str) -> Bytes {
        format!("{line}\n{chunk}").into()
    }

    /// Takes messages about one segment; returns what a reader from the first chunk on gets.
    async fn read(messages: &[(&str, &str)]) -> Vec<Option<String>> {
        let chunks = Chunks::default();
        let mut incoming = Incoming { chunks: &chunks, growing: HashMap::new() };
        let mut reader = None;
        for (line, chunk) in messages {
            incoming.take(&message(line, chunk), "own");
            reader = reader.or_else(|| chunks.read(KEY));
        }
        drop(incoming);
        let mut all = Vec::new();
        let Some(mut reader) = reader else { return all };
        while let Some(chunk) = reader.next().await {
            let Ok(chunk) = chunk else {
                all.push(None);
                break;
            };
            all.push(Some(String::from_utf8_lossy(&chunk).into_owned()));
        }
        all
    }

    #[tokio::test]
    async fn a_segment_comes_whole_or_breaks_off() {
        let (first, second) = ("a videos/v/480p/3.m4s 0 more", "a videos/v/480p/3.m4s 1 more");
        let last = "a videos/v/480p/3.m4s 2 last";
        let some = |text: &str| Some(text.to_owned());
        let whole = read(&[(first, "one"), (second, "two"), (last, "three")]).await;
        assert_eq!(whole, [some("one"), some("two"), some("three")]);
        assert_eq!(read(&[(first, "one"), (last, "three")]).await, [some("one"), None], "a gap");
        let broken = "a videos/v/480p/3.m4s 1 broken";
        assert_eq!(read(&[(first, "one"), (broken, ""), (last, "three")]).await, [some("one"), None]);
        assert_eq!(read(&[(first, "one")]).await, [some("one"), None], "Redis is gone");
        assert_eq!(
            read(&[(second, "two"), (last, "three")]).await,
            [None; 0],
            "begun before the subscription"
        );
    }

    #[tokio::test]
    async fn messages_of_another_form_and_our_own_are_passed_over() {
        for line in
            ["own videos/v/480p/3.m4s 0 more", "", "a b", "a videos/v/480p/3.m4s x more", "a b 0 more c"]
        {
            assert_eq!(read(&[(line, "one")]).await, [None; 0], "{line}");
        }
    }

    #[tokio::test]
    async fn two_encoders_of_one_segment_do_not_mix() {
        let messages = [
            ("a videos/v/480p/3.m4s 0 more", "a0"),
            ("b videos/v/480p/3.m4s 0 more", "b0"),
            ("b videos/v/480p/3.m4s 1 last", "b1"),
        ];
        assert_eq!(read(&messages).await, [Some("a0".to_owned()), None]);
    }
}
