//! A cluster under upload, encode and playback, while one after the other of its processes is killed and frozen: no
//! byte, job or segment is lost, no response is cut short, and all work goes on without help.
//!
//! `CLIPCUT_TEST_FREEZE_SECONDS` sets for how long servers are frozen. The results are printed as a table.

mod scene;
mod viewer;

use std::time::{Duration, Instant};

use scene::{Part, Scene, Victim};

use crate::harness::Clip;

/// A fault that is injected into a part of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Killed,
    Frozen,
}

fn freeze() -> Duration {
    let set = std::env::var("CLIPCUT_TEST_FREEZE_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(set.unwrap_or(3))
}

/// Injects the fault, and restarts databases as a supervisor would. Roles are not restarted: their peers take over.
async fn strike(fault: Fault, victim: Victim<'_>) {
    match (fault, victim) {
        (Fault::Killed, Victim::Role(role)) => role.kill(),
        (Fault::Frozen, Victim::Role(role)) => role.freeze(),
        (Fault::Killed, Victim::Server(server)) => {
            server.kill();
            server.start();
        }
        (Fault::Frozen, Victim::Server(server)) => {
            server.freeze();
            tokio::time::sleep(freeze()).await;
            server.thaw();
        }
    }
}

/// Has `faults` strike a cluster of their own, one after the other, each while one video is encoded and watched, and
/// another uploaded.
async fn endure(faults: &[(Part, Fault)], clip: Clip) {
    let mut scene = Scene::new();
    for (part, fault) in faults {
        let encoded = scene.upload(clip).await;
        scene.published(&encoded, 2).await;
        let viewer = scene.watch(&encoded, clip);
        let mut sending = scene.begin_upload(Clip::Spoken).await;

        let struck = Instant::now();
        strike(*fault, scene.part(*part)).await;
        // A load balancer leaves out an origin that does not answer.
        let origins: &[usize] = if (*part, *fault) == (Part::Origin, Fault::Frozen) { &[1] } else { &[1, 0] };
        scene.go_on(&mut sending, origins).await;
        let uploaded = struck.elapsed();
        scene.ready(&sending.id, Clip::Spoken).await;
        scene.ready(&encoded, clip).await;
        let recovered = struck.elapsed();

        if let (Victim::Role(role), Fault::Frozen) = (scene.part(*part), fault) {
            role.thaw();
        }
        let seen = viewer.leave().await;
        scene.whole(&sending.id, Clip::Spoken).await;
        scene.whole(&encoded, clip).await;
        seen.check(&scene.origins[1].http).await;
        println!(
            "| {part:?} {fault:?} | players: {seen} | uploader: {} | whole after {:.1} s, all ready after {:.1} s | nothing |",
            sending.summary(),
            uploaded.as_secs_f64(),
            recovered.as_secs_f64(),
        );
        scene.replace_the_dead();
    }
}

#[tokio::test]
async fn roles_die_and_freeze_and_the_others_go_on() {
    let faults = [
        (Part::Origin, Fault::Killed),
        (Part::Origin, Fault::Frozen),
        (Part::Packager, Fault::Killed),
        (Part::Packager, Fault::Frozen),
    ];
    endure(&faults, Clip::Long).await;
}

#[tokio::test]
async fn servers_die_and_freeze_and_all_goes_on_when_they_are_back() {
    let servers = [Part::Postgres, Part::Mongodb, Part::Redis];
    let faults = servers.map(|server| [Fault::Killed, Fault::Frozen].map(|fault| (server, fault)));
    endure(faults.as_flattened(), Clip::Spoken).await;
}
