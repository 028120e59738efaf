//! `clipcut model`: downloads, lists and checks speech models.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use clap::Subcommand;
use indicatif::HumanBytes;
use transcriber::{
    hub::{self, Offer, Pull},
    model::{
        Loading, Model,
        device::Device,
        folder::Folder,
        optimized::{self, State},
    },
    runtime::Runtime,
};

use crate::{
    config::Config,
    progress::{Progress, Unit},
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Bring a model from the hub; run it again to go on where it broke off
    Pull {
        /// The repository; else the configured model's, of onnx-community
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// Branch, tag or commit
        #[arg(long, default_value = "main")]
        revision: String,
        /// Which of its networks [default: the configured one]
        #[arg(long)]
        precision: Option<String>,
    },
    /// Rewrite a model's networks for this processor, beside the published ones; the first use does it else
    Optimize {
        /// The model's folder; else the configured model's
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// List the models that are here
    List,
    /// Check a model's folder: its files, their shapes, and that they belong together
    Check {
        /// The model's folder; else the configured model's
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// Runs the command.
pub(crate) async fn run(config: &Config, command: &Command) -> Result<()> {
    match command {
        Command::Pull { name, revision, precision } => {
            let name = name.as_deref().unwrap_or(&config.model);
            // A bare name is one of those that are made for this layout.
            let repository =
                if name.contains('/') { name.to_owned() } else { format!("onnx-community/{name}") };
            let precision = precision.as_deref().unwrap_or(&config.model_precision);
            let pull = Pull {
                endpoint: config.hub.trim_end_matches('/'),
                repository: &repository,
                revision,
                precision: if precision == "f32" { "" } else { precision },
                models: &config.models,
            };
            fetch(&pull).await
        }
        Command::Optimize { folder } => {
            let folder = folder.clone().unwrap_or_else(|| config.transcriber().model);
            tokio::task::spawn_blocking(move || optimize_all(&folder)).await?
        }
        Command::List => list(config),
        Command::Check { folder } => check(config, folder.as_deref()),
    }
}

async fn fetch(pull: &Pull<'_>) -> Result<()> {
    // Fails only when one is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(10))
        // A limit of the whole request would end a long pull on a slow line; this one counts each pause alone.
        .read_timeout(Duration::from_mins(1))
        .build()?;
    let offer = hub::list(&client, pull).await?;
    show(pull, &offer);
    let mut bar = Progress::new("pulling", Unit::Bytes, offer.bytes());
    let folder = hub::pull(&client, pull, &offer, |progress| {
        bar.set(progress.done);
    })
    .await?;
    bar.finish();
    println!("{}", folder.display());
    let precision = pull.precision.to_owned();
    // The pull optimizes at once, for the process of the first use may not be allowed to write into the folder.
    tokio::task::spawn_blocking(move || optimize(&folder, &precision)).await?
}

/// Prints what comes and under which licence, before the first byte does.
fn show(pull: &Pull<'_>, offer: &Offer) {
    let licence = offer.licence.as_deref().unwrap_or("not stated");
    println!("{} at {}, licence: {licence}", pull.repository, offer.revision);
    let width = offer.files.iter().map(|file| file.name.len()).max().unwrap_or_default();
    for file in &offer.files {
        let size = file.bytes.map_or_else(|| "unknown".to_owned(), |bytes| HumanBytes(bytes).to_string());
        let checksum = file.checksum.as_ref().map_or_else(|| "no checksum".to_owned(), ToString::to_string);
        println!("{size:>12}  {:width$}  {checksum}", file.name);
    }
    let all = HumanBytes(offer.bytes()).to_string();
    println!("{all:>12}  in all");
}

/// Optimizes every precision of a model.
fn optimize_all(folder: &Path) -> Result<()> {
    let found = precisions(folder);
    // An empty folder has no plain one either, and the error names the file.
    let precisions = if found.is_empty() { vec!["f32".to_owned()] } else { found };
    for precision in precisions {
        optimize(folder, if precision == "f32" { "" } else { &precision })?;
    }
    Ok(())
}

fn optimize(folder: &Path, precision: &str) -> Result<()> {
    for (published, state) in optimized::optimize(&Folder::open(folder, precision)?)? {
        match state {
            State::Written(file) => println!("optimized  {}", file.display()),
            State::Ready(file) => println!("ready      {}", file.display()),
            State::AsPublished => println!("as it is   {}", published.display()),
        }
    }
    Ok(())
}

fn list(config: &Config) -> Result<()> {
    let entries = match std::fs::read_dir(&config.models) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            println!("no models in {}; `clipcut model pull` brings one", config.models.display());
            return Ok(());
        }
        Err(e) => return Err(e).with_context(|| format!("cannot read {}", config.models.display())),
    };
    let mut names: Vec<_> =
        entries.flatten().filter(|entry| entry.path().join("config.json").is_file()).collect();
    names.sort_by_key(std::fs::DirEntry::file_name);
    for entry in names {
        let name = entry.file_name().to_string_lossy().into_owned();
        let mark = if name == config.model { "*" } else { " " };
        println!("{mark} {name}  {}", precisions(&entry.path()).join(" "));
    }
    Ok(())
}

fn precisions(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder.join("onnx")).into_iter().flatten().flatten();
    let mut found: Vec<String> = files
        .filter_map(|file| {
            let name = file.file_name().to_string_lossy().into_owned();
            let precision = name.strip_prefix("decoder_model_merged")?.strip_suffix(".onnx")?;
            Some(if precision.is_empty() { "f32".to_owned() } else { precision[1..].to_owned() })
        })
        .collect();
    found.sort();
    found
}

fn check(config: &Config, folder: Option<&Path>) -> Result<()> {
    let transcriber = config.transcriber();
    let folder = folder.unwrap_or(&transcriber.model);
    let runtime = Runtime::load(transcriber.onnxruntime.as_deref())?;
    let found = precisions(folder);
    let precisions = if found.is_empty() { vec!["f32".to_owned()] } else { found };
    let mut failed = 0;
    for precision in &precisions {
        let suffix = if precision == "f32" { "" } else { precision };
        match Model::load(runtime, Loading { folder, precision: suffix, threads: 1, device: Device::Cpu }) {
            Ok(model) => {
                // Models of English alone have no language tokens.
                let languages = model.vocabulary.languages.len().max(1);
                let s = model.shape;
                println!(
                    "ok    {precision}: {} mel bins, width {}, {} layers, {} tokens, {languages} languages, SHA-256 {}",
                    s.mel_bins, s.width, s.layers, s.tokens, model.sha256
                );
            }
            Err(error) => {
                println!("BAD   {precision}: {error}");
                failed += 1;
            }
        }
    }
    if failed > 0 {
        bail!("{failed} of {} precisions failed", precisions.len());
    }
    Ok(())
}
