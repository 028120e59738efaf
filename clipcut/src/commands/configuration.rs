//! `clipcut config`: the effective configuration as a file that can be read back, and the reference of all settings.

use std::io::{ErrorKind, Write};

use anyhow::Result;

use crate::config::{Config, KEYS};

/// The flags of `clipcut config`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Print the reference of all settings, which is docs/configuration.md
    #[arg(long)]
    pub(crate) markdown: bool,
}

const INTRODUCTION: &str = "\
# Configuration

<!-- Generated: `clipcut config --markdown > docs/configuration.md`. A test compares it with the code. -->

Settings come from the defaults, then `clipcut.toml` (or the file of `--config` or `CLIPCUT_CONFIG`), then variables, then
flags; later ones win. The variable of a setting is its name in capitals behind `CLIPCUT_`: `CLIPCUT_UPLOAD_MAX=1GiB`. An
unknown key or an invalid value stops the program, which reports all of them at once; the variables that Kubernetes sets for a
service named `clipcut` (`CLIPCUT_SERVICE_HOST`, `CLIPCUT_PORT=tcp://…`) are passed over. `clipcut config` prints the values in
effect as a file that reads back.

Sizes are `20GiB`, `500MiB` or bytes; times are `500ms`, `30s`, `10m` or `24h`; lists are written with commas, or as lists of
TOML.
";

/// Prints each key with its meaning, its default, its variable and its value.
pub(crate) fn print(config: &Config) -> Result<()> {
    let mut out = String::new();
    for (key, value) in KEYS.iter().zip(config.values()) {
        out += &format!("#{}\n", key.meaning);
        out += &format!("# Default: {}. Variable: CLIPCUT_{}\n", key.default, key.name.to_uppercase());
        // TOML quotes the value: a backslash or a quote in it must read back as it was.
        out += &format!("{} = {}\n\n", key.name, toml::Value::String(value));
    }
    write(out.as_bytes())
}

/// Prints the reference of all settings, in Markdown.
pub(crate) fn print_document() -> Result<()> {
    let mut out = INTRODUCTION.to_owned();
    for key in KEYS {
        if let Some(section) = key.section {
            out += &format!("\n## {section}\n\n| setting | default | meaning |\n| --- | --- | --- |\n");
        }
        let default = if key.default.is_empty() { String::new() } else { format!("`{}`", key.default) };
        // A bar ends a cell of a table in Markdown.
        let meaning = key.meaning.trim().replace('|', r"\|");
        out += &format!("| `{}` | {default} | {meaning} |\n", key.name);
    }
    write(out.as_bytes())
}

/// Writes to the standard output.
pub(crate) fn write(out: &[u8]) -> Result<()> {
    match std::io::stdout().write_all(out) {
        // A pager or `head` that has read enough closes the pipe.
        Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
