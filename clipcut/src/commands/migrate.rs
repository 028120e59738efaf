//! `clipcut migrate`: brings the tables of a PostgreSQL server up to date. No role does it by itself, since many share them.

use anyhow::{Result, bail};

use crate::config::Config;

/// Brings the tables up to date and prints the number of steps.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let url = &config.postgres.0;
    if url.is_empty() {
        bail!(
            "postgres (or CLIPCUT_POSTGRES) names the server whose tables to migrate; those of SQLite are brought up to date by serve"
        );
    }
    match store::migrate(url).await? {
        0 => println!("the tables are up to date"),
        1 => println!("the tables are up to date, by 1 step"),
        steps => println!("the tables are up to date, by {steps} steps"),
    }
    Ok(())
}
