//! In charge of `clipcut migrate`: the tables of a PostgreSQL server, which many processes share and none changes by
//! itself.

use anyhow::{Result, bail};

use crate::config::Config;

/// Brings the tables up to date and says what it did.
pub(crate) async fn run(config: &Config) -> Result<()> {
    let url = &config.postgres.0;
    if url.is_empty() {
        bail!(
            "postgres (or CLIPCUT_POSTGRES) says which server's tables; those of SQLite are brought up to date by serve"
        );
    }
    match store::migrate(url).await? {
        0 => println!("the tables are up to date"),
        1 => println!("the tables are up to date, by 1 step"),
        steps => println!("the tables are up to date, by {steps} steps"),
    }
    Ok(())
}
