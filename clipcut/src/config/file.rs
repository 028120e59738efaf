//! The configuration file: TOML, a key a line. What keys there are and what their values mean is `config`'s.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context, Result};

use super::Layer;

/// Reads the file; `None` where none was named and there is none.
pub(super) fn read(file: Option<&Path>, mistakes: &mut Vec<String>) -> Result<Option<Layer>> {
    let path = file.unwrap_or(Path::new("clipcut.toml"));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        // The file in the working folder is optional; one that was named must be there.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound && file.is_none() => return Ok(None),
        Err(e) => return Err(e).with_context(|| format!("cannot read {}", path.display())),
    };
    let table: toml::Table = text.parse().with_context(|| format!("{} is not TOML", path.display()))?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        match plain(&value) {
            Some(text) => _ = values.insert(key, text),
            None => mistakes
                .push(format!("{key} (in {}): a text, a number or a list is expected", path.display())),
        }
    }
    Ok(Some(Layer { name: path.display().to_string(), values }))
}

fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Array(items) => Some(items.iter().map(plain).collect::<Option<Vec<_>>>()?.join(",")),
        _ => None,
    }
}
