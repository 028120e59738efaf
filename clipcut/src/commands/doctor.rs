//! `clipcut doctor`: checks this machine, and prints the command that mends each fault.

use std::{fmt, path::Path};

use anyhow::{Result, bail};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;
use transcriber::{
    audio::Source,
    model::{Loading, Model},
    options::Options,
    runtime::Runtime,
};

use super::demo;
use crate::{config::Config, open_files, setting::Setting};

// Debian 12's, which the image has.
const OLDEST_FFMPEG: (u32, u32) = (5, 1);
const ROOM: u64 = 10 << 30;
const INSTALL: &str =
    if cfg!(target_os = "macos") { "brew install ffmpeg" } else { "sudo apt-get install ffmpeg" };

/// A result, and the command that mends it.
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
    findings.push(files(config));
    findings.push(port(config).await);
    findings.push(speech(config));
    findings.push(transcription(config).await);
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
    let Some(printed) = ask(program, &["-version"]).await else {
        return Finding::Bad(format!("{name}: cannot start {}", program.display()), mend);
    };
    // "ffmpeg version 5.1.9-0+deb12u1 Copyright …"; builds from git have "N-…" there.
    let version = printed.split_whitespace().nth(2).unwrap_or("unknown").to_owned();
    let mut numbers = version.split(['.', '-']).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) < OLDEST_FFMPEG => {
            Finding::Bad(format!("{name} {version}: 5.1 or newer is needed"), mend)
        }
        (Some(Ok(_)), _) => Finding::Good(format!("{name} {version}")),
        _ => Finding::Poor(format!("{name} {version}: not a release, so it may lack something"), mend),
    }
}

/// The parts of ffmpeg in use: without the needed ones no video is encoded, without the others some sources fail.
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
        // ffmpeg lists what it was built with; a trial of each part would take seconds and need sources.
        let listed = ask(&config.ffmpeg, &["-hide_banner", list]).await.unwrap_or_default();
        let found = listed.lines().any(|line| line.split_whitespace().nth(1) == Some(name));
        let part = format!("ffmpeg's {kind} {name}");
        let mend = format!("{INSTALL}   # the distribution's build has it");
        findings.push(match (found, needed.iter().any(|n| n.2 == name)) {
            (true, _) => Finding::Good(part),
            (false, true) => Finding::Bad(format!("{part} is missing: {harm}"), mend),
            (false, false) => Finding::Poor(format!("{part} is missing: {harm}"), mend),
        });
    }
    findings
}

fn room(data: &Path) -> Finding {
    // The folder may not exist yet; its nearest parent is on the same disk.
    let absolute = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let place = absolute.ancestors().find(|place| place.exists()).unwrap_or(Path::new("/"));
    let label = format!("room at {}", data.display());
    match rustix::fs::statvfs(place) {
        Ok(stat) => {
            // Blocks that are reserved for root are not free to the server.
            let free = stat.f_bavail * stat.f_frsize;
            let measured = format!("{label}: {}", indicatif::HumanBytes(free));
            if free < ROOM {
                Finding::Poor(
                    measured,
                    format!(
                        "free some, or put the library elsewhere: --data DIR (df -h {})",
                        place.display()
                    ),
                )
            } else {
                Finding::Good(measured)
            }
        }
        Err(e) => Finding::Bad(format!("{label}: {e}"), format!("mkdir -p {}", data.display())),
    }
}

/// A server of a cluster, with its version or the error of reaching it.
fn server((name, version): (&str, store::Result<String>)) -> Finding {
    match version {
        Ok(version) => Finding::Good(format!("{name} {version}")),
        Err(e @ store::Error::OlderTables) => Finding::Bad(format!("{name}: {e}"), "clipcut migrate".into()),
        Err(e) => Finding::Bad(
            format!("{name}: {e}"),
            format!("start it, or name another: clipcut config   # {} is its address", name.to_lowercase()),
        ),
    }
}

fn speech(config: &Config) -> Finding {
    let settings = config.transcriber();
    let runtime = match Runtime::load(settings.onnxruntime.as_deref()) {
        Ok(runtime) => runtime,
        Err(e) => {
            return Finding::Poor(
                format!("captions: {e}"),
                "scripts/install run   # brings ONNX Runtime".into(),
            );
        }
    };
    let version = format!("ONNX Runtime {} ({})", runtime.version(), runtime.path.display());
    let loading = Loading {
        folder: &settings.model,
        precision: &settings.precision,
        threads: 1,
        device: settings.device,
    };
    match Model::load(runtime, loading) {
        Ok(model) => Finding::Good(format!("captions by {}, {version}", model.name)),
        Err(e) => Finding::Poor(format!("captions: {e}; {version}"), "clipcut model pull".into()),
    }
}

/// Transcribes the demo speech with the demo model, which tries ffmpeg, ONNX Runtime and all between.
async fn transcription(config: &Config) -> Finding {
    let settings = config.transcriber();
    let words = tokio::task::spawn_blocking(move || transcribe_demo(&settings)).await;
    let words = words.map_err(anyhow::Error::from).and_then(|words| words);
    match words {
        Ok(words) if words == demo::WORDS => {
            Finding::Good(format!("transcription: all {} words of the demo", words.split(' ').count()))
        }
        Ok(words) => Finding::Poor(
            format!("transcription: \"{words}\" instead of \"{}\"", demo::WORDS),
            "scripts/install run   # brings the ONNX Runtime that it was tried with".into(),
        ),
        Err(e) => Finding::Poor(
            format!("transcription: {e:#}"),
            "scripts/install run   # brings ONNX Runtime".into(),
        ),
    }
}

fn transcribe_demo(config: &transcriber::Config) -> Result<String> {
    let folder = tempfile::tempdir()?;
    let speech = folder.path().join("speech.ogg");
    std::fs::write(&speech, demo::SPEECH)?;
    let engine = transcriber::demo::engine(config)?;
    let source = Source::File(engine.file(speech));
    let (options, stop) = (Options::default(), CancellationToken::new());
    let input = transcriber::Input::whole(&source, &options, &stop);
    let done = engine.transcribe(input, |_| Ok(()))?;
    let sentences: Vec<String> = done.track.segments.into_iter().map(|segment| segment.text).collect();
    Ok(sentences.join(" "))
}

fn files(config: &Config) -> Finding {
    let limit = open_files::limit();
    let places = open_files::connections(config.max_connections, limit);
    let count = limit.map_or_else(|| "any number".to_owned(), |limit| limit.to_string());
    let result = format!("open files: {count}, which leaves {places} connections");
    if places < config.max_connections {
        let mend = format!("ulimit -n {} (or LimitNOFILE= of the unit)", 2 * config.max_connections);
        return Finding::Poor(format!("{result} of {}", config.max_connections), mend);
    }
    let affordable = config.edge_connections();
    if affordable < places {
        let memory = config.edge_memory.print();
        return Finding::Good(format!(
            "{result}, and {affordable} with an edge, by edge_memory = \"{memory}\""
        ));
    }
    Finding::Good(result)
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
            Self::Good(result) => write!(f, "ok    {result}"),
            Self::Poor(result, mend) => write!(f, "poor  {result}\n      mend: {mend}"),
            Self::Bad(result, mend) => write!(f, "BAD   {result}\n      mend: {mend}"),
        }
    }
}
