//! Chunks of segments that this process is encoding (CMAF, ISO/IEC 23000-19 §7.3.2.3), for viewers who wait for one: its first
//! group of pictures is there long before its last. A segment that ends otherwise than published breaks off.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::watch;

/// The segments that are being encoded, by the keys of their blobs: a handle that is cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Chunks {
    growing: Arc<Mutex<HashMap<String, watch::Receiver<Growth>>>>,
    begun: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Growth {
    chunks: Vec<Bytes>,
    is_whole: bool,
}

/// A segment that is being encoded.
#[derive(Debug)]
pub struct ChunkWriter {
    all: Chunks,
    key: String,
    growth: watch::Sender<Growth>,
}

/// A reader of a segment that is being encoded.
#[derive(Debug)]
pub struct ChunkReader {
    growth: watch::Receiver<Growth>,
    next: usize,
}

/// The segment was not published: its encoder ended early, or another's segment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the segment broke off while it was encoded")]
pub struct BrokenOff;

impl Chunks {
    /// Begins the segment `key` with its first chunk. Where two encoders have the same one, readers get the later's.
    pub fn begin(&self, key: &str, first: Bytes) -> ChunkWriter {
        let (growth, reader) = watch::channel(Growth { chunks: vec![first], is_whole: false });
        // The entry comes before the notice, so that a waiter that it wakes finds it.
        self.lock().insert(key.to_owned(), reader);
        self.begun.send_replace(());
        ChunkWriter { all: self.clone(), key: key.to_owned(), growth }
    }

    /// Returns a reader of the segment `key` from its first chunk on, if that is there and more is to come.
    pub fn read(&self, key: &str) -> Option<ChunkReader> {
        Some(ChunkReader { growth: self.lock().get(key)?.clone(), next: 0 })
    }

    /// Returns a receiver whose `changed` wakes when a segment has its first chunk.
    pub fn begun(&self) -> watch::Receiver<()> {
        self.begun.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<Growth>>> {
        self.growing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ChunkWriter {
    /// Adds a chunk.
    pub fn push(&self, chunk: Bytes) {
        self.growth.send_modify(|growth| growth.chunks.push(chunk));
    }

    /// Adds the last chunk of a segment that is published now.
    pub fn end(self, last: Bytes) {
        self.growth.send_modify(|growth| {
            growth.chunks.push(last);
            growth.is_whole = true;
        });
    }
}

impl Drop for ChunkWriter {
    fn drop(&mut self) {
        let mut growing = self.all.lock();
        // A second encoder of the segment may have put its own in this place.
        if growing.get(&self.key).is_some_and(|reader| reader.same_channel(&self.growth.subscribe())) {
            growing.remove(&self.key);
        }
    }
}

impl ChunkReader {
    /// Returns the next chunk as soon as it is there; `None` behind the last.
    pub async fn next(&mut self) -> Option<Result<Bytes, BrokenOff>> {
        let next = self.next;
        // The growth of an encoder that is gone keeps its last state.
        let growth = self.growth.wait_for(|growth| growth.chunks.len() > next || growth.is_whole).await;
        let chunk = match &growth {
            Ok(growth) => growth.chunks.get(next).cloned().map(Ok),
            Err(_) => Some(Err(BrokenOff)),
        };
        drop(growth);
        self.next += 1;
        chunk
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "videos/v/480p/3.m4s";

    async fn rest(mut reader: ChunkReader) -> Vec<Result<Bytes, BrokenOff>> {
        let mut all = Vec::new();
        while let Some(chunk) = reader.next().await {
            all.push(chunk.clone());
            if chunk.is_err() {
                break;
            }
        }
        all
    }

    #[tokio::test]
    async fn readers_get_each_chunk_once_and_an_end() {
        let chunks = Chunks::default();
        let mut begun = chunks.begun();
        assert!(chunks.read(KEY).is_none());
        let writer = chunks.begin(KEY, "one".into());
        begun.changed().await.unwrap();
        let mut early = chunks.read(KEY).unwrap();
        assert_eq!(early.next().await, Some(Ok("one".into())));
        writer.push("two".into());
        let late = chunks.read(KEY).unwrap();
        writer.end("three".into());
        assert!(chunks.read(KEY).is_none(), "it is published");
        assert_eq!(rest(early).await, ["two", "three"].map(|text| Ok(text.into())));
        assert_eq!(rest(late).await, ["one", "two", "three"].map(|text| Ok(text.into())));
    }

    #[tokio::test]
    async fn a_segment_that_is_not_published_breaks_off() {
        let chunks = Chunks::default();
        let writer = chunks.begin(KEY, "one".into());
        let reader = chunks.read(KEY).unwrap();
        drop(writer);
        assert_eq!(rest(reader).await, [Ok("one".into()), Err(BrokenOff)]);
        assert!(chunks.read(KEY).is_none());
    }

    #[tokio::test]
    async fn of_two_encoders_the_later_ones_chunks_stay() {
        let chunks = Chunks::default();
        let lost = chunks.begin(KEY, "lost".into());
        let writer = chunks.begin(KEY, "one".into());
        drop(lost);
        let reader = chunks.read(KEY).unwrap();
        writer.end("two".into());
        assert_eq!(rest(reader).await, ["one", "two"].map(|text| Ok(text.into())));
    }
}
