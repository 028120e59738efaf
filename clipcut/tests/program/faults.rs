//! A cluster under upload, encode and playback, while one after the other of its processes is killed and frozen: no
//! byte, job or segment is lost, nobody is sent half of anything, and all goes on by itself.
//!
//! `CLIPCUT_TEST_FREEZE_SECONDS` sets for how long servers are frozen. What was seen is printed as a table.

mod scene;
mod viewer;

use std::time::{Duration, Instant};

use scene::Scene;

use crate::harness::Clip;

/// What happens to a cluster.
#[derive(Clone, Copy, Debug)]
enum Fault {
    PackagerKilled,
    PackagerFrozen,
    OriginKilled,
    PostgresKilled,
    PostgresFrozen,
    MongodbKilled,
    MongodbFrozen,
    RedisKilled,
    RedisFrozen,
}

fn freeze() -> Duration {
    let told = std::env::var("CLIPCUT_TEST_FREEZE_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(told.unwrap_or(3))
}

impl Fault {
    /// Strikes, and lets servers come back as an operator's supervisor would. Roles do not come back: others are there.
    async fn strike(self, scene: &mut Scene) {
        match self {
            Self::PackagerKilled => scene.packagers[0].program.kill(),
            Self::PackagerFrozen => scene.packagers[0].program.freeze(),
            Self::OriginKilled => scene.origins[0].program.kill(),
            Self::PostgresKilled => {
                scene.postgres.server().kill();
                scene.postgres.restart();
            }
            Self::PostgresFrozen => {
                scene.postgres.server().freeze();
                tokio::time::sleep(freeze()).await;
                scene.postgres.server().thaw();
            }
            Self::MongodbKilled => {
                scene.mongodb.server().kill();
                scene.mongodb.server().start();
            }
            Self::MongodbFrozen => {
                scene.mongodb.server().freeze();
                tokio::time::sleep(freeze()).await;
                scene.mongodb.server().thaw();
            }
            Self::RedisKilled => {
                scene.redis.server().kill();
                scene.redis.server().start();
            }
            Self::RedisFrozen => {
                scene.redis.server().freeze();
                tokio::time::sleep(freeze()).await;
                scene.redis.server().thaw();
            }
        }
    }
}

/// Has `faults` strike a cluster of their own, one after the other, each while one video is encoded and watched, and
/// another uploaded.
async fn endure(faults: &[Fault], clip: Clip) {
    let mut scene = Scene::new();
    for fault in faults {
        let encoded = scene.upload(clip).await;
        scene.published(&encoded, 2).await;
        let viewer = scene.watch(&encoded, clip);
        let mut sending = scene.begin_upload(Clip::Spoken).await;

        let struck = Instant::now();
        fault.strike(&mut scene).await;
        scene.go_on(&mut sending).await;
        let uploaded = struck.elapsed();
        scene.ready(&sending.id, Clip::Spoken).await;
        scene.ready(&encoded, clip).await;
        let recovered = struck.elapsed();

        if let Fault::PackagerFrozen = fault {
            scene.packagers[0].program.thaw();
        }
        let seen = viewer.leave().await;
        scene.whole(&sending.id, Clip::Spoken).await;
        scene.whole(&encoded, clip).await;
        seen.check(&scene.origins[1].http).await;
        println!(
            "| {fault:?} | players: {seen} | uploader: {} | whole after {:.1} s, all ready after {:.1} s | nothing |",
            sending.told(),
            uploaded.as_secs_f64(),
            recovered.as_secs_f64(),
        );
        scene.replace_the_dead();
    }
}

#[tokio::test]
async fn roles_die_and_the_others_go_on() {
    endure(&[Fault::OriginKilled, Fault::PackagerKilled, Fault::PackagerFrozen], Clip::Long).await;
}

#[tokio::test]
async fn servers_die_and_freeze_and_all_goes_on_when_they_are_back() {
    let faults = [
        Fault::PostgresKilled,
        Fault::PostgresFrozen,
        Fault::MongodbKilled,
        Fault::MongodbFrozen,
        Fault::RedisKilled,
        Fault::RedisFrozen,
    ];
    endure(&faults, Clip::Spoken).await;
}
