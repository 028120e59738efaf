//! The connection to Redis that commands share.

use std::time::Duration;

use redis::{
    Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::{Error, Result};

// Redis is optional at every moment, so no call waits long for it.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Returns a connection that is made when it is first wanted, and again whenever it breaks.
pub(crate) fn connection(client: &Client) -> Result<ConnectionManager> {
    let config = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(TIMEOUT))
        .set_response_timeout(Some(TIMEOUT))
        // Retries belong to one layer, the caller's.
        .set_number_of_retries(0);
    Ok(ConnectionManager::new_lazy_with_config(client.clone(), config)?)
}

/// Returns the server's version.
pub(crate) async fn version(url: &str) -> Result<String> {
    let mut connection = connection(&Client::open(url)?)?;
    let info: String = redis::cmd("INFO").arg("server").query_async(&mut connection).await?;
    let version = info.lines().find_map(|line| line.strip_prefix("redis_version:"));
    version
        .map(ToOwned::to_owned)
        .ok_or_else(|| Error::Unavailable { what: "Redis", cause: "its INFO has no version".into() })
}
