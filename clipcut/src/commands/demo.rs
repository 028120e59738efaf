//! The demo video, made by ffmpeg, so that a new library has something to play.

use std::path::Path;

use anyhow::{Context, Result, bail};
use store::{NewVideo, Store, Timestamp, TranscriptionOptions};
use tokio::process::Command;
use transcriber::demo;

use crate::config::Config;

const SECONDS: u32 = 24;

/// Its speech: sentences in the vocabulary of the demo model, made by `scripts/demo-speech`.
pub(super) const SPEECH: &[u8] = include_bytes!("../../demo/speech.ogg");
/// The words of the speech.
pub(super) const WORDS: &str = "Hello and welcome to this lesson. On Monday morning the farmer lost the ladder. \
    The yellow bird finds my paper near the river today. There is a big clock behind the station. \
    Is the guitar under the bridge? The lesson is thirty minutes before dinner. Thanks and goodbye.";

/// Puts the demo video into an empty library; a failure is logged, for the server runs without it.
pub(crate) async fn fill(store: &Store, config: &Config) {
    match try_fill(store, config).await {
        Ok(()) => {}
        Err(error) => tracing::warn!(error = %format!("{error:#}"), "no demo video"),
    }
}

async fn try_fill(store: &Store, config: &Config) -> Result<()> {
    // The flag may stay in a unit's command line; only an empty library gets the video.
    if store.videos.count().await? > 0 {
        return Ok(());
    }
    tracing::info!("the library is empty: making a demo video");
    let folder = tempfile::tempdir()?;
    let (file, speech) = (folder.path().join("demo.mp4"), folder.path().join("speech.ogg"));
    tokio::fs::write(&speech, SPEECH).await?;
    make(config, &speech, &file).await?;

    let video = NewVideo {
        title: "A first video".into(),
        description:
            "Made by Clip Cut itself, so that there is something to play; a small model knows its words. Drop one of yours on the page."
                .into(),
        source_name: "demo.mp4".into(),
        owner: None,
    };
    let bytes = tokio::fs::read(&file).await?;
    let expires = Timestamp::now() + config.upload_expiry.0;
    let upload = store.uploads.begin(&video, Some(bytes.len() as u64), expires).await?;
    if config.captions.0 {
        let options = TranscriptionOptions {
            model: Some(demo::NAME.into()),
            language: Some("en".into()),
            ..TranscriptionOptions::default()
        };
        // The track is asked for before the upload is complete: the plan adds a track of the
        // configured model only where there is none.
        store.captions.ask(&upload.id, &options).await?;
    }
    let mut append = store.uploads.append(&upload.id, false).await?.context("the new upload is taken")?;
    append.write(&bytes).await?;
    Ok(store.uploads.finish(append).await?)
}

/// Colours that drift, with ffmpeg's test picture and its running clock in a window; voices.
async fn make(config: &Config, speech: &Path, file: &Path) -> Result<()> {
    let picture = format!(
        "gradients=s=1280x720:r=30:d={SECONDS}:c0=0x1b2a6b:c1=0xe4572e:c2=0x17bebb:c3=0xffc914:n=4:speed=0.012:seed=7[g];\
         testsrc2=s=480x270:r=30:d={SECONDS}[t];[g][t]overlay=W-w-48:H-h-48,format=yuv420p[v]"
    );
    // This ffmpeg is not confined: its input is the program's own, and nothing of it comes from a person.
    let made = Command::new(&config.ffmpeg)
        .args(["-hide_banner", "-nostdin", "-v", "error", "-y", "-i"])
        .arg(speech)
        .args(["-filter_complex", &picture])
        .args([
            "-map",
            "[v]",
            "-map",
            "0:a",
            "-c:v",
            "libx264",
            "-preset",
            "ultrafast",
            "-crf",
            "18",
            "-c:a",
            "aac",
        ])
        .arg(file)
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot start {}", config.ffmpeg.display()))?;
    if !made.status.success() {
        bail!("ffmpeg: {}", String::from_utf8_lossy(&made.stderr).trim());
    }
    Ok(())
}
