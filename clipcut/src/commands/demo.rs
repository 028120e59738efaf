//! In charge of the demo video, which ffmpeg makes, so that a new library has something to play.

use anyhow::{Context, Result, bail};
use store::{NewVideo, Store, Timestamp};
use tokio::process::Command;

use crate::config::Config;

const SECONDS: u32 = 24;

/// Puts the demo video into an empty library; a failure is logged, for the server runs without it.
pub(crate) async fn fill(store: &Store, config: &Config) {
    match try_fill(store, config).await {
        Ok(()) => {}
        Err(error) => tracing::warn!(error = %format!("{error:#}"), "no demo video"),
    }
}

async fn try_fill(store: &Store, config: &Config) -> Result<()> {
    if store.videos.count().await? > 0 {
        return Ok(());
    }
    tracing::info!("the library is empty: making a demo video");
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("demo.mp4");
    make(config, &file).await?;

    let video = NewVideo {
        title: "A first video".into(),
        description:
            "Made by Clip Cut itself, so that there is something to play. Drop one of yours on the page."
                .into(),
        source_name: "demo.mp4".into(),
    };
    let bytes = tokio::fs::read(&file).await?;
    let expires = Timestamp::now() + config.upload_expiry.0;
    let upload = store.uploads.begin(&video, Some(bytes.len() as u64), expires).await?;
    let mut append = store.uploads.append(&upload.id, false).await?.context("the new upload is taken")?;
    append.write(&bytes).await?;
    Ok(store.uploads.finish(append).await?)
}

/// Colours that drift, with ffmpeg's test picture and its running clock in a window; a chord that swells.
async fn make(config: &Config, file: &std::path::Path) -> Result<()> {
    let picture = format!(
        "gradients=s=1280x720:r=30:d={SECONDS}:c0=0x1b2a6b:c1=0xe4572e:c2=0x17bebb:c3=0xffc914:n=4:speed=0.012:seed=7[g];\
         testsrc2=s=480x270:r=30:d={SECONDS}[t];[g][t]overlay=W-w-48:H-h-48,format=yuv420p[v]"
    );
    let sound = format!(
        "aevalsrc=exprs='0.12*(sin(2*PI*220*t)+sin(2*PI*277.18*t)+sin(2*PI*329.63*t))*(0.6+0.4*sin(2*PI*t/6))'\
         :s=48000:d={SECONDS}[a]"
    );
    let made = Command::new(&config.ffmpeg)
        .args(["-hide_banner", "-nostdin", "-v", "error", "-y", "-filter_complex"])
        .arg(format!("{picture};{sound}"))
        .args([
            "-map",
            "[v]",
            "-map",
            "[a]",
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
