//! `clipcut package`: the packager without a server. It works in a store inside the output folder, so that the next run
//! resumes a killed one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use store::{NewVideo, State, Store, Timestamp, Video, VideoId};
use tokio_util::sync::CancellationToken;

use crate::{
    config::Config,
    progress::{self, Progress, Unit},
};

const WORKSHOP: &str = ".clipcut-package";
// Players and web servers find all else from here, so a folder without it counts as not finished.
const ENTRY: &str = "master.m3u8";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file to package
    input: PathBuf,
    /// The folder to fill: master.m3u8 and manifest.mpd lead to the rest
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
}

/// Packages the input into the output folder.
pub(crate) async fn run(config: &Config, args: &Args) -> Result<()> {
    let input = args.input.canonicalize().with_context(|| format!("cannot open {}", args.input.display()))?;
    let workshop = prepare_output(&args.output)?;
    if args.output.join(ENTRY).exists() {
        // The entry is moved last, so an earlier run was killed while it removed the working folder.
        return tidy_up(&workshop, &args.output);
    }
    let store = Store::embedded(&workshop).await?;
    let id = take_in(&store, &input).await?;

    let stop = CancellationToken::new();
    let worker = tokio::spawn(packager::run(store.clone(), config.packager(), stop.clone()));
    let finished = tokio::select! {
        finished = watch(&store, &id) => finished,
        // The store's folder stays behind, with every segment published so far.
        _ = tokio::signal::ctrl_c() => Err(anyhow::anyhow!("interrupted; run the same command again to go on")),
    };
    stop.cancel();
    // The worker is waited for, so that nothing writes below the folder that is handed over next.
    worker.await?;
    finished?;

    packager::export_captions(&store, &id).await?;
    hand_over(&store.blobs.file(&id.folder())?, &args.output)?;
    // SQLite's file and the folder's lock are closed before their folder is removed.
    drop(store);
    tidy_up(&workshop, &args.output)
}

fn tidy_up(workshop: &Path, output: &Path) -> Result<()> {
    fs::remove_dir_all(workshop).with_context(|| format!("cannot remove {}", workshop.display()))?;
    println!("{}", output.join(ENTRY).display());
    Ok(())
}

fn prepare_output(output: &Path) -> Result<PathBuf> {
    let workshop = output.join(WORKSHOP);
    fs::create_dir_all(output).with_context(|| format!("cannot create {}", output.display()))?;
    let others = fs::read_dir(output)?.filter_map(Result::ok).any(|entry| entry.file_name() != WORKSHOP);
    if others && !workshop.exists() {
        bail!("{} is not empty; choose a new folder with -o", output.display());
    }
    Ok(workshop)
}

/// Returns the video that stands for the input: a new one, or the one that an earlier run began.
async fn take_in(store: &Store, input: &Path) -> Result<VideoId> {
    let meta = fs::metadata(input)?;
    let modified = Timestamp::from(meta.modified()?);
    // Path, size and time stand for the content: a hash would read a film of many gigabytes before the first frame.
    let source_name = format!("{} {} {}", input.display(), meta.len(), modified.0);
    for video in store.videos.list(store::Listing::of(&store::Shown::All), 100).await?.videos {
        if video.source_name == source_name && video.state != State::Failed && video.state != State::Uploading
        {
            eprintln!("going on with {}", input.display());
            return Ok(video.id);
        }
        // The folder belongs to one input: any other video in it is a failed try, or of a file that has changed since.
        store.delete(&video.id).await?;
    }
    let video = NewVideo { title: String::new(), description: String::new(), source_name, owner: None };
    let upload = store.uploads.begin(&video, Some(meta.len()), Timestamp(i64::MAX)).await?;
    store.uploads.finish_linked(&upload.id, input).await?;
    Ok(upload.id)
}

async fn watch(store: &Store, id: &VideoId) -> Result<()> {
    let mut changes = store.signals.subscribe();
    let mut bar = Progress::new("packaging", Unit::Segments, 0);
    loop {
        let video: Video = store.videos.get(id).await?.context("the video is gone")?;
        let renditions = store.renditions.of(id).await?;
        let renditions = renditions.iter().map(|it| progress::Rendition {
            published: u64::from(it.segments_published),
            total: u64::from(it.rendition.segments_total),
            speed: it.speed,
        });
        bar.set_renditions(video.duration_seconds, &renditions.collect::<Vec<_>>());
        match (video.state, video.failure) {
            (State::Ready, _) => {
                bar.finish();
                for note in &video.notes {
                    eprintln!("note: {note}");
                }
                return Ok(());
            }
            (_, Some(failure)) => bail!("{}", failure.message),
            _ => {}
        }
        // A missed change does no harm: the state is read again each second.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(1), changes.recv()).await;
    }
}

/// Moves the published files into the output folder, the master playlist last.
fn hand_over(from: &Path, to: &Path) -> Result<()> {
    let mut names: Vec<_> =
        fs::read_dir(from)?.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<_>>()?;
    names.sort_by_key(|name| name == ENTRY);
    for name in names {
        let target = to.join(&name);
        // Both folders are on one file system, so each name moves in one step, whatever its size.
        fs::rename(from.join(&name), &target)
            .with_context(|| format!("cannot write {}", target.display()))?;
    }
    Ok(())
}
