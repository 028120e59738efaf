//! `clipcut config`: the effective configuration as a file that can be read back.

use std::io::{ErrorKind, Write};

use anyhow::Result;

use crate::config::{Config, KEYS};

/// Prints each key with its meaning, its default, its variable and its value.
pub(crate) fn print(config: &Config) -> Result<()> {
    let mut out = String::new();
    for (key, value) in KEYS.iter().zip(config.values()) {
        out += &format!("#{}\n", key.meaning);
        out += &format!("# Default: {}. Variable: CLIPCUT_{}\n", key.default, key.name.to_uppercase());
        out += &format!("{} = {}\n\n", key.name, toml::Value::String(value));
    }
    match std::io::stdout().write_all(out.as_bytes()) {
        // A pager or `head` that has read enough closes the pipe.
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
