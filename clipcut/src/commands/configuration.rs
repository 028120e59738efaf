//! In charge of `clipcut config`: the effective configuration as a file that can be read back.

use crate::config::{Config, KEYS};

/// Prints each key with its meaning, its default, its variable and its value.
pub(crate) fn print(config: &Config) {
    for (key, value) in KEYS.iter().zip(config.values()) {
        println!("#{}", key.meaning);
        println!("# Default: {}. Variable: CLIPCUT_{}", key.default, key.name.to_uppercase());
        println!("{} = {}\n", key.name, toml::Value::String(value));
    }
}
