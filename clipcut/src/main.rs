//! Clip Cut's program: the composition root, which alone knows every role, the configuration and the
//! environment.

mod cli;
mod commands;
mod config;
mod front_end;
mod log;
mod open_files;
mod openapi;
mod progress;
mod setting;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

// Requests are made on one thread and dropped on another; the system's allocator is slow at that.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    open_files::raise();
    let cli = cli::Cli::parse();
    let ended = cli.run();
    log::finish();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clipcut: {error:#}");
            ExitCode::FAILURE
        }
    }
}
