//! The password of a command, from standard input: an argument would stand in the shell's history and in the list of processes.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, Result};

/// Reads the first line.
pub(super) fn read() -> Result<String> {
    line("the password", "Type the password, then Enter (it is shown; pipe it in to hide it):")
}

/// Reads the line behind the password's: the code of a second factor.
pub(super) fn read_code() -> Result<String> {
    line("the code", "Type the code of your authenticator app, or a recovery code, then Enter:")
}

fn line(what: &str, question: &str) -> Result<String> {
    let input = std::io::stdin();
    if input.is_terminal() {
        eprintln!("{question}");
    }
    let mut line = String::new();
    input.lock().read_line(&mut line).with_context(|| format!("cannot read {what} from standard input"))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
