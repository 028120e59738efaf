//! The password of a command, from standard input: an argument would stand in the shell's history and in the list of processes.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, Result};

/// Reads the first line.
pub(super) fn read() -> Result<String> {
    let input = std::io::stdin();
    if input.is_terminal() {
        eprintln!("Type the password, then Enter (it is shown; pipe it in to hide it):");
    }
    let mut line = String::new();
    input.lock().read_line(&mut line).context("cannot read the password from standard input")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
