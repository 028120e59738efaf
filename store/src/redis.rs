//! In charge of the connection to Redis that commands share.

use std::time::Duration;

use redis::{
    Client,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

use crate::Result;

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
