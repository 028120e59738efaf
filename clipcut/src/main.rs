//! Clip Cut's program: the composition root, which alone knows every role, the configuration and the
//! environment.

mod cli;
mod commands;
mod config;
mod front_end;
mod progress;
mod setting;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("clipcut: {error:#}");
            ExitCode::FAILURE
        }
    }
}
