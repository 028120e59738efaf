//! The viewers that an owner chooses for a video: what grants and share links have in common.

use std::time::SystemTime;

use server::ticket;
use store::VideoId;

use crate::{Accounts, Result, guard::unknown_video};

impl Accounts {
    /// Reads the id of a video that is there.
    pub(crate) async fn known(&self, id: &str) -> Result<VideoId> {
        let id = id.parse().map_err(|_| unknown_video())?;
        self.store.videos.rights(&id).await?.ok_or_else(unknown_video)?;
        Ok(id)
    }

    /// Returns the second from which on tickets must last, so that all that were made until now are void.
    pub(crate) fn tickets_from(&self) -> u64 {
        ticket::end(SystemTime::now(), self.config.ticket_lifetime) + 1
    }
}
