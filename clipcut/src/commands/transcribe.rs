//! `clipcut transcribe`: captions of files, without a server.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result, bail};
use captions::Track;
use clap::ValueEnum;
use tokio_util::sync::CancellationToken;
use transcriber::{
    Engine, Input,
    audio::Source,
    options::{Options, Task},
};

use crate::{
    config::Config,
    progress::{Progress, Unit},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The files to transcribe
    #[arg(required = true, value_name = "FILE")]
    inputs: Vec<PathBuf>,
    /// The format of the captions
    #[arg(long, value_enum, default_value_t = Format::Vtt)]
    format: Format,
    /// The folder to write to, by the files' names; else one file's captions go to the terminal
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// The model: a name as `clipcut model list` has it, or a folder
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// The model's precision, such as quantized or fp16; f32 is its plain one
    #[arg(long)]
    precision: Option<String>,
    /// The language that is spoken, such as de; else it is detected
    #[arg(long, value_name = "CODE")]
    language: Option<String>,
    /// Write in English, whatever is spoken
    #[arg(long)]
    translate: bool,
    /// Names and terms to expect
    #[arg(long, value_name = "TEXT")]
    prompt: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Vtt,
    Srt,
    Txt,
    Json,
}

/// Transcribes every input; a failed one does not keep the others.
pub(crate) async fn run(config: &Config, args: Args) -> Result<()> {
    if args.output.is_none() && args.inputs.len() > 1 {
        bail!("several files need a folder to write to: -o DIR");
    }
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    // Nothing of a file remains after ctrl-c; the next run starts it again.
    tokio::spawn(async move {
        if tokio::signal::ctrl_c().await.is_ok() {
            stopping.cancel();
        }
    });
    let engine = Engine::new(config.transcriber_with(args.model.as_deref(), args.precision.as_deref()));
    tokio::task::spawn_blocking(move || all(&engine, &args, &stop)).await?
}

fn all(engine: &Engine, args: &Args, stop: &CancellationToken) -> Result<()> {
    // A missing model is one error here, and not one for each file.
    engine.load()?;
    let mut failed = 0;
    for input in &args.inputs {
        match one(engine, args, input, stop) {
            Ok(()) => {}
            Err(error) if args.inputs.len() == 1 || stop.is_cancelled() => return Err(error),
            Err(error) => {
                eprintln!("clipcut: {error:#}");
                failed += 1;
            }
        }
    }
    if failed > 0 {
        bail!("{failed} of {} files failed", args.inputs.len());
    }
    Ok(())
}

fn one(engine: &Engine, args: &Args, input: &Path, stop: &CancellationToken) -> Result<()> {
    let named = || input.display().to_string();
    let path = input.canonicalize().with_context(|| format!("cannot open {}", named()))?;
    let options = Options {
        language: args.language.clone(),
        task: if args.translate { Task::Translate } else { Task::Transcribe },
        prompt: args.prompt.clone(),
        ..Options::default()
    };
    let name = input.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut bar = Progress::new(&name, Unit::Seconds, 0);
    let started = Instant::now();
    let source = Source::File(engine.file(path.as_path()));
    let done = engine.transcribe(Input::whole(&source, &options, stop), |window| {
        bar.set_total(window.progress.all as u64);
        bar.set(window.progress.done as u64);
        Ok(())
    });
    let done = done.with_context(named)?;
    bar.set_total(done.seconds as u64);
    bar.finish();
    let times = done.seconds / started.elapsed().as_secs_f64();
    let cues = done.track.cues.len();
    // The summary goes to stderr: stdout is the captions', for a pipe.
    eprintln!("{name}: {cues} cues in `{}`, {times:.1} × real time", done.track.language);
    if let Some(end) = done.track.ends_at_seconds {
        eprintln!("{name}: the sound breaks off at {end:.1} s");
    }
    write(args, input, &done.track)
}

fn write(args: &Args, input: &Path, track: &Track) -> Result<()> {
    let (text, ending) = match args.format {
        Format::Vtt => (captions::webvtt::render(&track.cues), "vtt"),
        Format::Srt => (captions::subrip::render(&track.cues), "srt"),
        Format::Txt => (captions::plain::render(&track.cues), "txt"),
        Format::Json => (captions::json::render(track), "json"),
    };
    let Some(folder) = &args.output else {
        return std::io::stdout().write_all(text.as_bytes()).context("cannot write to the terminal");
    };
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let file = folder.join(input.file_stem().unwrap_or_default()).with_extension(ending);
    // The file is renamed when it is whole: a stopped run leaves no captions that end in the middle.
    let staged = file.with_extension(format!("{ending}.part"));
    let written = fs::write(&staged, text).and_then(|()| fs::rename(&staged, &file));
    written.with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}", file.display());
    Ok(())
}
