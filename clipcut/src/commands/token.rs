//! The token of a person's programs: kept for each server in a file that they alone may read, or given by `CLIPCUT_TOKEN`.

use std::{
    fs::{self, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
};

use anyhow::{Context, Result};
use reqwest::{
    Url,
    header::{AUTHORIZATION, HeaderMap, HeaderValue},
};
use sha2::{Digest, Sha256};

const VARIABLE: &str = "CLIPCUT_TOKEN";

/// Returns the fields that show a server its token, if there is one for it.
pub(super) fn headers(server: &Url) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    let given = std::env::var(VARIABLE).ok().filter(|token| !token.is_empty());
    let Some(token) = given.or_else(|| fs::read_to_string(file(server)?).ok()) else { return Ok(headers) };
    let mut field = HeaderValue::try_from(format!("Bearer {}", token.trim()))
        .context("the token has characters that none has; run `clipcut login` again")?;
    field.set_sensitive(true);
    headers.insert(AUTHORIZATION, field);
    Ok(headers)
}

/// Keeps the token of a server.
pub(super) fn keep(server: &Url, token: &str) -> Result<PathBuf> {
    let path =
        file(server).context("there is no home folder to keep the token in; set CLIPCUT_TOKEN instead")?;
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    let cannot = || format!("cannot write {}", path.display());
    // A new file and a rename: an old one might be readable by others, and a token cut short opens nothing.
    let unfinished = path.with_extension("new");
    let _ = fs::remove_file(&unfinished);
    let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished);
    opened.and_then(|mut file| file.write_all(token.as_bytes())).with_context(cannot)?;
    fs::rename(&unfinished, &path).with_context(cannot)?;
    Ok(path)
}

/// Returns the file of a server's token. Scheme, host and port name the server: a token must not go to another one.
fn file(server: &Url) -> Option<PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".config")))?;
    let origin = server.origin().ascii_serialization();
    let name: String = Sha256::digest(origin).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Some(config.join("clipcut/tokens").join(name))
}
