//! The command line: every command with its flags, and the runtime that it runs on.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Result, bail};
use clap::{Args, Parser, Subcommand};

use crate::{
    commands::{
        accounts, configuration, doctor, edge, fsck, login, migrate, model, origin, package, packager,
        process, serve, transcribe, transcriber, upload, user,
    },
    config::Config,
    log, openapi,
};

/// Upload a video; seconds later, watch it at the quality that your connection carries.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "Example:\n  clipcut                    # serves http://localhost:8080, keeps its library in ./data\n  clipcut upload holiday.mp4  # in another terminal"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: ServeArgs,
    /// Configuration file; else `clipcut.toml` here, if there is one
    #[arg(long, global = true, env = "CLIPCUT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the page, the uploads and the videos (the default)
    #[command(after_help = "Example:\n  clipcut serve --listen 0.0.0.0:8080 --data /srv/clipcut")]
    Serve(ServeArgs),
    /// One role of a cluster: uploads, the library, playlists and segments, and the page
    #[command(after_help = "Example:\n  clipcut origin --listen 0.0.0.0:8080")]
    Origin(process::ListenArgs),
    /// One role of a cluster: people sign in and keep their accounts; edges send it what is about them
    #[command(after_help = "Example:\n  clipcut accounts --listen 0.0.0.0:8083")]
    Accounts(process::ListenArgs),
    /// One role of a cluster: encodes what was uploaded
    #[command(
        after_help = "Example:\n  clipcut packager --listen 0.0.0.0:8082   # /healthz, /readyz and /metrics"
    )]
    Packager(process::ListenArgs),
    /// Cache in front of other servers of videos, and fetch each thing once
    #[command(
        after_help = "Example:\n  clipcut edge --origin http://origin.example:8080 --listen 0.0.0.0:8081 --memory 4GiB"
    )]
    Edge(edge::Args),
    /// Package a file into a folder that any web server can serve
    #[command(
        after_help = "Example:\n  clipcut package holiday.mp4 -o site/holiday\n  python3 -m http.server -d site   # then play http://localhost:8000/holiday/master.m3u8"
    )]
    Package(package::Args),
    /// Upload a file to a server; run it again to go on where it broke off
    #[command(after_help = "Example:\n  clipcut upload holiday.mp4 --server http://localhost:8080")]
    Upload(upload::Args),
    /// Write captions of files
    #[command(
        after_help = "Example:\n  clipcut transcribe talk.mp4 --format srt -o captions   # writes captions/talk.srt"
    )]
    Transcribe(transcribe::Args),
    /// Turn sounds into words over HTTP; on a cluster, write captions too
    #[command(
        after_help = "Example:\n  clipcut transcriber --listen 127.0.0.1:8090\n  curl -F file=@talk.mp3 -F model=whisper-1 http://127.0.0.1:8090/v1/audio/transcriptions"
    )]
    Transcriber(transcriber::Args),
    /// Speech models: bring, list and check them
    #[command(
        subcommand,
        after_help = "Example:\n  clipcut model pull   # onnx-community/whisper-tiny into models/whisper-tiny"
    )]
    Model(model::Command),
    /// Sign in to a server, so that `upload` may upload there
    #[command(after_help = "Example:\n  clipcut login anna@example.org --server https://videos.example.org")]
    Login(login::Args),
    /// People: add, list, disable, enable and remove accounts, and reset their passwords
    #[command(
        subcommand,
        after_help = "Example:\n  clipcut user add --admin --name Anna anna@example.org   # reads the password from standard input"
    )]
    User(user::Command),
    /// Bring the tables of a PostgreSQL server up to date
    #[command(
        after_help = "Example:\n  CLIPCUT_POSTGRES=postgres://clipcut:secret@db.example/clipcut clipcut migrate"
    )]
    Migrate,
    /// Check what is kept: tables against blobs, both ways, and blobs against their digests
    #[command(
        after_help = "Example:\n  clipcut fsck          # names each fault\n  clipcut fsck --mend   # mends what can be mended"
    )]
    Fsck(fsck::Args),
    /// Check what Clip Cut needs on this machine
    #[command(after_help = "Example:\n  clipcut doctor")]
    Doctor,
    /// Print the effective configuration
    #[command(after_help = "Example:\n  CLIPCUT_CRF=21 clipcut config > clipcut.toml")]
    Config(configuration::Args),
    /// Print the document of the API: OpenAPI 3.1, as `/api/openapi.json` serves it
    #[command(after_help = "Example:\n  clipcut openapi > openapi.json")]
    Openapi,
}

#[derive(Debug, Default, Args)]
struct ServeArgs {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    listen: Option<String>,
    /// Folder of the library [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// Put one demo video into an empty library
    #[arg(long)]
    demo: bool,
}

impl Cli {
    pub(crate) fn run(self) -> Result<()> {
        if self.command.is_some() && (self.serve.demo || !self.serve.flags().is_empty()) {
            // clap takes them before any subcommand, since `clipcut` alone is `serve`;
            // ignored there, a wrong library would be served.
            bail!("--listen, --data and --demo belong to serve: write them behind it");
        }
        let load = |flags| Config::load(self.config.as_deref(), flags);
        let begin = |role, flags| -> Result<Config> {
            let config = load(flags)?;
            log::begin(&config, role)?;
            Ok(config)
        };
        let command = self.command.unwrap_or(Command::Serve(self.serve));
        match command {
            Command::Serve(args) => {
                let demo = if args.demo { serve::Demo::WhenEmpty } else { serve::Demo::Never };
                let config = begin("serve", args.flags())?;
                block_on(serve::run(&config, demo))
            }
            Command::Origin(args) => {
                let config = begin("origin", args.flags())?;
                block_on(origin::run(&config))
            }
            Command::Accounts(args) => {
                let config = begin("accounts", args.flags())?;
                block_on(accounts::run(&config))
            }
            Command::Packager(args) => {
                let config = begin("packager", args.flags())?;
                block_on(packager::run(&config))
            }
            Command::Edge(args) => {
                let config = begin("edge", args.flags())?;
                block_on(edge::run(&config))
            }
            Command::Package(args) => {
                let config = load(BTreeMap::new())?;
                log::begin_for_tools()?;
                block_on(package::run(&config, &args))
            }
            Command::Upload(args) => {
                log::begin_for_tools()?;
                block_on(upload::run(&args))
            }
            Command::Transcribe(args) => {
                let config = load(BTreeMap::new())?;
                log::begin_for_tools()?;
                block_on(transcribe::run(&config, args))
            }
            Command::Transcriber(args) => {
                let config = begin("transcriber", args.flags())?;
                block_on(transcriber::run(&config))
            }
            Command::Model(command) => {
                let config = load(BTreeMap::new())?;
                log::begin_for_tools()?;
                block_on(model::run(&config, &command))
            }
            Command::Login(args) => {
                log::begin_for_tools()?;
                block_on(login::run(&args))
            }
            Command::User(command) => {
                let config = load(BTreeMap::new())?;
                log::begin_for_tools()?;
                block_on(user::run(&config, &command))
            }
            Command::Migrate => {
                let config = load(BTreeMap::new())?;
                log::begin_for_tools()?;
                block_on(migrate::run(&config))
            }
            Command::Fsck(args) => {
                let config = load(BTreeMap::new())?;
                log::begin_for_tools()?;
                block_on(fsck::run(&config, &args))
            }
            Command::Doctor => block_on(doctor::run(&load(BTreeMap::new())?)),
            Command::Config(args) if args.markdown => configuration::print_document(),
            Command::Config(_) => configuration::print(&load(BTreeMap::new())?),
            Command::Openapi => openapi::print(),
        }
    }
}

impl ServeArgs {
    fn flags(&self) -> BTreeMap<String, String> {
        let given = [("listen", &self.listen), ("data", &self.data)];
        given.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?))).collect()
    }
}

fn block_on(task: impl Future<Output = Result<()>>) -> Result<()> {
    // The runtime is made after the arguments are read: `--help` and a mistake cost no threads.
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(task)
}
