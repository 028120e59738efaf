//! `clipcut model`: a pull shows what comes and goes on where it broke off, and a check finds what changed since.

use std::fs;

use crate::{
    harness::{Finished, RUNTIME, clipcut, finish},
    loopback_hub::{COMMIT, FILES, Fault, Hub},
};

const ENCODER: &str = "onnx/encoder_model_quantized.onnx";

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_shows_licence_sizes_and_checksums_and_goes_on_where_it_broke_off() {
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../transcriber/demo");
    let (endpoint, hub) = Hub::of(demo.into()).start().await;
    let home = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| -> Finished {
        let settings = [("CLIPCUT_HUB", endpoint.as_str()), ("CLIPCUT_MODEL", "demo"), RUNTIME];
        finish(clipcut(home.path()).arg("model").args(args).envs(settings))
    };
    *hub.fault.lock().unwrap() = Some(Fault::BreaksOff(ENCODER));
    let broken = run(&["pull", "clip-cut/demo"]);
    assert_eq!(broken.code, Some(1), "{broken:?}");
    assert!(broken.stderr.contains("run the same command again to go on"), "{broken:?}");
    // Shown before the first byte comes, so that a person may still decide against it.
    assert!(broken.stdout.contains(&format!("clip-cut/demo at {COMMIT}, licence: mit")), "{broken:?}");

    let pulled = run(&["pull", "clip-cut/demo"]);
    assert_eq!(pulled.code, Some(0), "{pulled:?}");
    for name in FILES {
        let sum = transcriber::model::folder::sha256(&std::path::Path::new(demo).join(name)).unwrap();
        let line = pulled.stdout.lines().find(|line| line.contains(name));
        let line = line.unwrap_or_else(|| panic!("no {name} in {}", pulled.stdout));
        assert!(line.contains("iB  ") || line.contains(" B  "), "{line}");
        assert!(line.ends_with(&format!("SHA-256 {sum}")), "{line}");
    }
    assert!(pulled.stdout.contains(" in all"), "{}", pulled.stdout);
    assert!(pulled.stderr.contains("pulling"), "{}", pulled.stderr);
    assert!(hub.requests().iter().any(|(name, range)| name == ENCODER && range.is_some()));

    let checked = run(&["check"]);
    assert!(checked.code == Some(0) && checked.stdout.contains("ok    quantized"), "{checked:?}");
    fs::write(home.path().join("models/demo").join(ENCODER), "changed").unwrap();
    let checked = run(&["check"]);
    assert!(checked.code == Some(1) && checked.stdout.contains("is not what was pulled"), "{checked:?}");
    run(&["pull", "clip-cut/demo"]);
    assert_eq!(run(&["check"]).code, Some(0));
}
