//! Pulling a model from a hub with huggingface.co's URLs, on this machine.

use std::{fs, path::Path, sync::Arc};

use reqwest::Client;
use sha1::{Digest, Sha1};
use transcriber::{
    hub::{LOCK, Lock, Progress, Pull, list, lock_of, pull},
    model::{Loading, Model, device::Device},
    runtime::Runtime,
};

use crate::{
    harness::demo,
    loopback_hub::{COMMIT, FILES, Fault, Hub},
};

const ENCODER: &str = "onnx/encoder_model_quantized.onnx";

struct Pulling {
    endpoint: String,
    hub: Arc<Hub>,
    models: tempfile::TempDir,
    client: Client,
}

impl Pulling {
    async fn from(hub: Hub) -> Self {
        // Fails only when one is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (endpoint, hub) = hub.start().await;
        Self { endpoint, hub, models: tempfile::tempdir().unwrap(), client: Client::new() }
    }

    fn pull(&self) -> Pull<'_> {
        Pull {
            endpoint: &self.endpoint,
            repository: "clip-cut/demo",
            revision: "main",
            precision: "quantized",
            models: self.models.path(),
        }
    }

    /// Pulls; returns the last progress, or the error's text.
    async fn run(&self, asked: &Pull<'_>) -> Result<Option<Progress>, String> {
        let mut last = None;
        let offer = list(&self.client, asked).await.map_err(|e| e.to_string())?;
        let pulled = pull(&self.client, asked, &offer, |progress| last = Some(progress)).await;
        let folder = pulled.map_err(|e| e.to_string())?;
        assert_eq!(folder, self.models.path().join("demo"));
        Ok(last)
    }

    fn folder(&self) -> std::path::PathBuf {
        self.models.path().join("demo")
    }
}

fn same_bytes(folder: &Path) {
    for name in FILES {
        assert!(fs::read(folder.join(name)).unwrap() == fs::read(demo().join(name)).unwrap(), "{name}");
    }
}

#[tokio::test]
async fn a_model_is_pulled_whole_and_locked_after_a_broken_pull() {
    let pulling = Pulling::from(Hub::of(demo())).await;
    *pulling.hub.fault.lock().unwrap() = Some(Fault::BreaksOff(ENCODER));
    let broken = pulling.run(&pulling.pull()).await.unwrap_err();
    assert!(broken.contains("run the same command again"), "{broken}");
    assert!(!pulling.folder().exists());

    pulling.hub.requests().clear();
    let last = pulling.run(&pulling.pull()).await.unwrap().unwrap();
    assert_eq!(last.done, last.all);
    let half = fs::metadata(demo().join(ENCODER)).unwrap().len() / 2;
    let rest = (ENCODER.to_owned(), Some(format!("bytes={half}-")));
    // The bytes before the fault are not asked for again.
    assert_eq!(*pulling.hub.requests(), [rest, (FILES[5].to_owned(), None)]);
    same_bytes(&pulling.folder());
    let Lock { repository, revision, licence, files } = lock_of(&pulling.folder()).unwrap().unwrap();
    assert_eq!((repository.as_str(), revision.as_str()), ("clip-cut/demo", COMMIT));
    assert_eq!(licence.as_deref(), Some("mit"));
    assert_eq!(files.len(), FILES.len());
    let folder = pulling.folder();
    let loading = Loading { folder: &folder, precision: "quantized", threads: 1, device: Device::Cpu };
    assert!(Model::load(Runtime::load(None).unwrap(), loading).unwrap().revision.is_some());

    // Again: nothing comes that is here, and nothing is left behind.
    pulling.hub.requests().clear();
    let last = pulling.run(&pulling.pull()).await.unwrap().unwrap();
    assert_eq!(last.done, last.all);
    assert!(pulling.hub.requests().is_empty(), "{:?}", pulling.hub.requests());
    assert!(pulling.folder().join(LOCK).is_file());
    assert_eq!(fs::read_dir(pulling.models.path()).unwrap().count(), 1);

    // A file that has changed since comes anew, and another precision stands beside this one.
    fs::write(pulling.folder().join(ENCODER), "changed").unwrap();
    let plain = Pull { precision: "", ..pulling.pull() };
    pulling.run(&plain).await.unwrap();
    assert!(!pulling.folder().join(ENCODER).exists());
    pulling.run(&pulling.pull()).await.unwrap();
    same_bytes(&pulling.folder());
    assert_eq!(lock_of(&pulling.folder()).unwrap().unwrap().files.len(), FILES.len() + 2);
    assert_eq!(fs::read_dir(pulling.models.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_model_is_resumed_whatever_the_hub_makes_of_ranges() {
    for (fault, refused) in
        [(Fault::IgnoresRanges, None), (Fault::AnswersAnotherRange, Some("answers another range"))]
    {
        let pulling = Pulling::from(Hub::of(demo())).await;
        *pulling.hub.fault.lock().unwrap() = Some(Fault::EndsEarly(ENCODER));
        let broken = pulling.run(&pulling.pull()).await.unwrap_err();
        assert!(broken.contains("before its end; run the same command again"), "{broken}");
        *pulling.hub.fault.lock().unwrap() = Some(fault);
        let second = pulling.run(&pulling.pull()).await;
        assert_eq!(second.is_err(), refused.is_some(), "{fault:?}: {second:?}");
        if let (Err(message), Some(expected)) = (second, refused) {
            assert!(message.contains(expected), "{message}");
            pulling.run(&pulling.pull()).await.unwrap();
        }
        same_bytes(&pulling.folder());
    }
}

#[tokio::test]
async fn a_file_unlike_its_listing_is_not_kept() {
    let git_name = |bytes: &[u8]| {
        let hash = Sha1::new().chain_update(format!("blob {}\0", bytes.len())).chain_update(bytes).finalize();
        hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let of_config = git_name(&fs::read(demo().join("config.json")).unwrap());
    let check = async |hub: Hub, expected: Option<&str>| {
        let pulling = Pulling::from(hub).await;
        match (pulling.run(&pulling.pull()).await, expected) {
            (Ok(_), None) => same_bytes(&pulling.folder()),
            (Err(refused), Some(expected)) => {
                assert!(refused.contains(expected) && refused.contains("pull again"), "{refused}");
                assert!(!pulling.folder().exists());
            }
            (pulled, _) => panic!("{pulled:?}, not {expected:?}"),
        }
    };
    let named = |name: &str| [("config.json".to_owned(), name.to_owned())].into();
    check(Hub { wrong_checksums: true, ..Hub::of(demo()) }, Some("config.json")).await;
    check(Hub { git_names: named(&of_config), ..Hub::of(demo()) }, None).await;
    check(Hub { git_names: named("00"), ..Hub::of(demo()) }, Some("config.json")).await;
}

#[tokio::test]
async fn a_model_that_is_nowhere_is_refused() {
    let odd =
        Hub { git_names: [("config.json".to_owned(), "\u{1b}[2J".to_owned())].into(), ..Hub::of(demo()) };
    let pulling = Pulling::from(odd).await;
    for (asked, expected) in [
        (Pull { repository: "clip-cut/other", ..pulling.pull() }, "404"),
        (Pull { repository: "../../etc", ..pulling.pull() }, "no repository"),
        (Pull { precision: "int4", ..pulling.pull() }, "clip-cut/demo has no onnx/encoder_model_int4.onnx"),
        (pulling.pull(), "no checksum of config.json"),
    ] {
        let refused = pulling.run(&asked).await.unwrap_err();
        assert!(refused.contains(expected), "{refused}");
    }
}
