//! The servers of a cluster, for as long as standard input is open: prints the settings that name them, and ends
//! them, with all that they kept, when it closes.

use std::io::{Read, Write};

use testbed::{Mongodb, Postgres, Redis};

fn main() -> std::io::Result<()> {
    let (postgres, mongodb, redis) = (Postgres::start(), Mongodb::start(), Redis::start());
    let mut out = std::io::stdout();
    writeln!(out, "CLIPCUT_POSTGRES={}", postgres.database())?;
    writeln!(out, "CLIPCUT_MONGODB={}", mongodb.database())?;
    writeln!(out, "CLIPCUT_REDIS={}", redis.url())?;
    out.flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
