//! In charge of `clipcut doctor`: what this machine lacks, and the command that mends it.

use std::{fmt, path::Path};

use anyhow::{Result, bail};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use transcriber::{
    audio::Source,
    listen::Options,
    model::{Loading, Model},
    runtime::Runtime,
};

use super::demo;
use crate::config::Config;

const OLDEST_FFMPEG: (u32, u32) = (5, 1);
const ROOM: u64 = 10 << 30;
const INSTALL: &str =
    if cfg!(target_os = "macos") { "brew install ffmpeg" } else { "sudo apt-get install ffmpeg" };

/// What was found, and what to do about it.
enum Finding {
    Good(String),
    Poor(String, String),
    Bad(String, String),
}

/// Prints a line for each thing that is needed. Fails when something is bad.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let mut findings =
        vec![version("ffmpeg", &config.ffmpeg).await, version("ffprobe", &config.ffprobe).await];
    findings.extend(parts(config).await);
    if let Some(cluster) = config.cluster()? {
        findings.extend(store::versions(&cluster).await.map(server));
    }
    findings.push(room(&config.data));
    findings.push(port(config).await);
    findings.push(speech(config));
    findings.push(hearing(config).await);
    for finding in &findings {
        println!("{finding}");
    }
    let bad = findings.iter().filter(|f| matches!(f, Finding::Bad(..))).count();
    if bad > 0 {
        bail!("{bad} of {} checks failed", findings.len());
    }
    Ok(())
}

async fn version(name: &str, program: &Path) -> Finding {
    let mend = format!("{INSTALL}   # or set {name} in the configuration");
    let Some(said) = ask(program, &["-version"]).await else {
        return Finding::Bad(format!("{name}: cannot start {}", program.display()), mend);
    };
    // "ffmpeg version 5.1.9-0+deb12u1 Copyright …"; builds from git have "N-…" there.
    let version = said.split_whitespace().nth(2).unwrap_or("unknown").to_owned();
    let mut numbers = version.split(['.', '-']).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < OLDEST_FFMPEG => {
            Finding::Bad(format!("{name} {version}: 5.1 or newer is needed"), mend)
        }
        (Some(Ok(_)), _) => Finding::Good(format!("{name} {version}")),
        _ => Finding::Poor(format!("{name} {version}: not a release, so it may lack something"), mend),
    }
}

/// What of ffmpeg is used: without the first ones nothing works, without the others some sources fail.
async fn parts(config: &Config) -> Vec<Finding> {
    let needed = [
        ("encoder", "-encoders", "libx264", "no picture can be encoded"),
        ("encoder", "-encoders", "aac", "no sound can be encoded"),
        ("encoder", "-encoders", "mjpeg", "no poster can be made"),
        ("filter", "-filters", "bwdif", "interlaced sources cannot be encoded"),
    ];
    let wanted = [
        ("filter", "-filters", "zscale", "HDR sources cannot be encoded"),
        ("filter", "-filters", "tonemap", "HDR sources cannot be encoded"),
        ("decoder", "-decoders", "libdav1d", "AV1 sources may be slow or fail"),
    ];
    let mut findings = Vec::new();
    for (kind, list, name, harm) in needed.into_iter().chain(wanted) {
        let listed = ask(&config.ffmpeg, &["-hide_banner", list]).await.unwrap_or_default();
        let found = listed.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
        let told = format!("ffmpeg's {kind} {name}");
        let mend = format!("{INSTALL}   # the distribution's build has it");
        findings.push(match (found, needed.iter().any(|n| n.2 == name)) {
            (true, _) => Finding::Good(told),
            (false, true) => Finding::Bad(format!("{told} is missing: {harm}"), mend),
            (false, false) => Finding::Poor(format!("{told} is missing: {harm}"), mend),
        });
    }
    findings
}

fn room(data: &Path) -> Finding {
    // The folder may not be there yet; then its nearest parent tells.
    let absolute = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let place = absolute.ancestors().find(|place| place.exists()).unwrap_or(Path::new("/"));
    let told = format!("room at {}", data.display());
    match rustix::fs::statvfs(place) {
        Ok(stat) => {
            let free = stat.f_bavail * stat.f_frsize;
            let told = format!("{told}: {}", indicatif::HumanBytes(free));
            if free < ROOM {
                Finding::Poor(
                    told,
                    format!(
                        "free some, or put the library elsewhere: --data DIR (df -h {})",
                        place.display()
                    ),
                )
            } else {
                Finding::Good(told)
            }
        }
        Err(e) => Finding::Bad(format!("{told}: {e}"), format!("mkdir -p {}", data.display())),
    }
}

/// A server of a cluster, and what it said.
fn server((name, said): (&str, store::Result<String>)) -> Finding {
    match said {
        Ok(version) => Finding::Good(format!("{name} {version}")),
        Err(e @ store::Error::OlderTables) => Finding::Bad(format!("{name}: {e}"), "clipcut migrate".into()),
        Err(e) => Finding::Bad(
            format!("{name}: {e}"),
            format!("start it, or name another: clipcut config   # {} is its address", name.to_lowercase()),
        ),
    }
}

fn speech(config: &Config) -> Finding {
    let told = config.transcriber();
    let runtime = match Runtime::load(told.onnxruntime.as_deref()) {
        Ok(runtime) => runtime,
        Err(e) => {
            return Finding::Poor(
                format!("captions: {e}"),
                "scripts/install run   # brings ONNX Runtime".into(),
            );
        }
    };
    let version = format!("ONNX Runtime {} ({})", runtime.version(), runtime.path.display());
    let loading = Loading { folder: &told.model, precision: &told.precision, threads: 1 };
    match Model::load(runtime, loading) {
        Ok(model) => Finding::Good(format!("captions by {}, {version}", model.name)),
        Err(e) => Finding::Poor(format!("captions: {e}; {version}"), "clipcut model pull".into()),
    }
}

/// Has the demo model listen to the demo video's speech: whether ffmpeg, ONNX Runtime and all between do their work.
async fn hearing(config: &Config) -> Finding {
    let told = config.transcriber();
    let heard = tokio::task::spawn_blocking(move || hear(&told)).await;
    let heard = heard.map_err(anyhow::Error::from).and_then(|heard| heard);
    match heard {
        Ok(heard) if heard == demo::WORDS => {
            Finding::Good(format!("hearing: all {} words of the demo", heard.split(' ').count()))
        }
        Ok(heard) => Finding::Poor(
            format!("hearing: {} was said, {heard} was heard", demo::WORDS),
            "scripts/install run   # brings the ONNX Runtime that it was tried with".into(),
        ),
        Err(e) => {
            Finding::Poor(format!("hearing: {e:#}"), "scripts/install run   # brings ONNX Runtime".into())
        }
    }
}

fn hear(config: &transcriber::Config) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let speech = folder.path().join("speech.ogg");
    std::fs::write(&speech, demo::SPEECH)?;
    let engine = transcriber::demo::engine(config)?;
    let source = Source::File(engine.file(speech));
    let asked = (&Options::default(), [].as_slice(), &CancellationToken::new());
    let heard = engine.transcribe(&source, asked, |_| Ok(()))?;
    let sentences: Vec<String> = heard.track.segments.into_iter().map(|said| said.text).collect();
    Ok(sentences.join(" "))
}

async fn port(config: &Config) -> Finding {
    match tokio::net::TcpListener::bind(config.listen).await {
        Ok(_) => Finding::Good(format!("{} is free", config.listen)),
        Err(e) => Finding::Poor(
            format!("{}: {e}; a running clipcut is one reason", config.listen),
            "clipcut serve --listen 127.0.0.1:8081".into(),
        ),
    }
}

async fn ask(program: &Path, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).kill_on_drop(true).output().await.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good(told) => write!(f, "ok    {told}"),
            Self::Poor(told, mend) => write!(f, "poor  {told}\n      mend: {mend}"),
            Self::Bad(told, mend) => write!(f, "BAD   {told}\n      mend: {mend}"),
        }
    }
}
