//! In charge of the connection to Redis that commands share.

use std::time::Duration;

use redis::{
    Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::{Error, Result};

// What is asked of Redis can be done without; nobody waits long for it.
const PATIENCE: Duration = Duration::from_secs(2);

/// Returns a connection that is made when it is first wanted, and again whenever it breaks.
pub(crate) fn connection(client: &Client) -> Result<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(PATIENCE))
        .set_response_timeout(Some(PATIENCE))
        // Who asks again is the caller, in its own time.
        .set_number_of_retries(0);
    Ok(ConnectionManager::new_lazy_with_config(client.clone(), config)?)
}

/// Returns the server's version.
pub(crate) async fn version(url: &str) -> Result<String> {
    let mut connection = connection(&Client::open(url)?)?;
    let told: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
    let version = told.lines().find_map(|line| line.strip_prefix("redis_version:"));
    version
        .map(ToOwned::to_owned)
        .ok_or_else(|| Error::Unavailable { what: "Redis", cause: "it does not tell its version".into() })
}
