//! Signals and counters: within a process, and over a Redis that comes and goes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use futures::StreamExt;
use store::{Counters, Limit, SegmentName, Signal, Signals, UserId, VideoId};
use testbed::Redis;
use tokio::sync::broadcast::Receiver;

// Far above what anything takes here; nothing hangs on it but the end of a failing test.
const PATIENCE: Duration = Duration::from_mins(1);

async fn next(signals: &mut Receiver<Signal>) -> Signal {
    tokio::time::timeout(PATIENCE, signals.recv()).await.unwrap().unwrap()
}

/// Waits for one signal, past all that come before.
async fn receives(signals: &mut Receiver<Signal>, wanted: &Signal) {
    while next(signals).await != *wanted {}
}

/// Two processes that receive each other's signals.
async fn pair(redis: &Redis) -> (Signals, Signals) {
    let (one, other) = (Signals::over_redis(redis.url()).unwrap(), Signals::over_redis(redis.url()).unwrap());
    for (from, to) in [(&one, &other), (&other, &one)] {
        introduce(from, to).await;
    }
    (one, other)
}

/// Publishes until a signal arrives: only then are both connected.
async fn introduce(from: &Signals, to: &Signals) {
    let mut signals = to.subscribe();
    let hello = Signal::Changed(VideoId::random());
    let arrived = async {
        loop {
            from.publish(hello.clone());
            if let Ok(received) = tokio::time::timeout(Duration::from_millis(100), signals.recv()).await
                && received.unwrap() == hello
            {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, arrived).await.unwrap();
}

#[tokio::test]
async fn signals_reach_every_process_and_its_own_once() {
    let (one, other) = pair(Redis::shared()).await;
    let (mut here, mut there) = (one.subscribe(), other.subscribe());
    let ids: Vec<VideoId> = (0..50).map(|_| VideoId::random()).collect();
    for id in &ids {
        one.publish(Signal::Changed(id.clone()));
    }
    let segment = SegmentName { rendition: "audio-de".to_owned(), number: 7 };
    let others = [
        Signal::Progress(VideoId::random()),
        Signal::Published(VideoId::random(), segment),
        Signal::Hidden(VideoId::random()),
        Signal::Deleted(VideoId::random()),
        Signal::Ended(UserId::random()),
    ];
    for signal in &others {
        one.publish(signal.clone());
    }
    for signals in [&mut here, &mut there] {
        // In their order, and none of them twice.
        let first = Signal::Changed(ids[0].clone());
        receives(signals, &first).await;
        for id in &ids[1..] {
            assert_eq!(next(signals).await, Signal::Changed(id.clone()));
        }
        for signal in &others {
            assert_eq!(next(signals).await, *signal);
        }
    }
}

#[tokio::test]
async fn listeners_of_redis_choose_by_channel() {
    let (one, _other) = pair(Redis::shared()).await;
    let client = redis::Client::open(Redis::shared().url()).unwrap();
    let mut listener = client.get_async_pubsub().await.unwrap();
    listener.subscribe("clipcut:deleted").await.unwrap();
    let id = VideoId::random();
    one.publish(Signal::Changed(id.clone()));
    one.publish(Signal::Deleted(id.clone()));
    let mut messages = listener.on_message();
    let ours = async {
        loop {
            let message = messages.next().await.unwrap();
            let text: String = message.get_payload().unwrap();
            if text.starts_with(id.as_str()) {
                return message.get_channel_name().to_owned();
            }
        }
    };
    assert_eq!(tokio::time::timeout(PATIENCE, ours).await.unwrap(), "clipcut:deleted");
}

#[tokio::test]
async fn after_redis_was_killed_all_look_again_and_receive_again() {
    let redis = Redis::start();
    let (one, other) = pair(&redis).await;
    let (mut here, mut there) = (one.subscribe(), other.subscribe());
    let mut work = other.work();
    redis.server().kill();
    // One's own process receives all the same.
    let meanwhile = Signal::Changed(VideoId::random());
    one.publish(meanwhile.clone());
    receives(&mut here, &meanwhile).await;
    work.mark_unchanged();
    redis.server().start();
    for signals in [&mut here, &mut there] {
        receives(signals, &Signal::Missed).await;
    }
    tokio::time::timeout(PATIENCE, work.changed()).await.unwrap().unwrap();
    introduce(&one, &other).await;
    introduce(&other, &one).await;
}

#[tokio::test]
async fn a_redis_that_hangs_is_left_and_found_again() {
    let redis = Redis::start();
    let (one, other) = pair(&redis).await;
    let mut there = other.subscribe();
    redis.server().freeze();
    one.publish(Signal::Changed(VideoId::random()));
    // Each of these finds out for itself that nobody answers; by then the listeners have, too.
    for _ in 0..3 {
        let limit = Limit { most: 1, window: PATIENCE };
        assert!(Counters::over_redis(redis.url()).unwrap().hit("a", limit).await.allowed);
    }
    redis.server().thaw();
    receives(&mut there, &Signal::Missed).await;
    introduce(&one, &other).await;
}

#[tokio::test]
async fn a_limit_holds_for_all_processes_together() {
    let limit = Limit { most: 20, window: Duration::from_mins(10) };
    let url = Redis::shared().url();
    let together = [Counters::over_redis(url).unwrap(), Counters::over_redis(url).unwrap()];
    let alone = Counters::in_process();
    for counters in [together.to_vec(), vec![alone.clone(), alone]] {
        let key = VideoId::random().to_string();
        let hits = (0..60).map(|n| {
            let (counters, key) = (counters[n % 2].clone(), key.clone());
            tokio::spawn(async move { counters.hit(&key, limit).await })
        });
        let hits = futures::future::try_join_all(hits).await.unwrap();
        assert_eq!(hits.iter().filter(|hit| hit.allowed).count(), 20);
        assert!(hits.iter().all(|hit| hit.rest <= limit.window && !hit.rest.is_zero()));
    }
}

#[tokio::test]
async fn without_redis_each_process_counts_for_itself() {
    let redis = Redis::start();
    let counters = Counters::over_redis(redis.url()).unwrap();
    let limit = Limit { most: 2, window: Duration::from_mins(10) };
    assert!(counters.hit("a", limit).await.allowed);
    redis.server().kill();
    let mut allowed = 0;
    for _ in 0..5 {
        allowed += u32::from(counters.hit("a", limit).await.allowed);
    }
    assert_eq!(allowed, 2);
}
