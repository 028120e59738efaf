//! Attempts: how often a password may be tried, by account and by client address. A limit slows down for a minute and never
//! locks out for good.

use std::{net::IpAddr, time::Duration};

use axum::extract::Request;
use http::StatusCode;
use server::{Problem, site::network};
use sha2::{Digest, Sha256};
use store::Limit;

use crate::{Accounts, Result};

const WINDOW: Duration = Duration::from_mins(1);
// Of a code's million numbers three count at a time, and the password was right already: at this rate it takes more than half a
// year to hit one by chance.
const CODES: Limit = Limit { most: 10, window: Duration::from_mins(10) };
// Nobody's mailbox is to be filled by others.
const MAILS: Limit = Limit { most: 3, window: Duration::from_hours(1) };

impl Accounts {
    /// Returns the client's address, as far as it is known.
    pub(crate) fn client(&self, request: &Request) -> Option<IpAddr> {
        self.config.site.original(request).client
    }

    /// Counts an attempt of a client address.
    pub(crate) async fn count_address(&self, client: Option<IpAddr>) -> Result<()> {
        let key = format!("attempts:address:{}", client.map_or_else(|| "unknown".to_owned(), network));
        self.count(&key, self.config.attempts_of_address).await
    }

    /// Counts an attempt on an account, whether there is one or not.
    pub(crate) async fn count_account(&self, account: &str) -> Result<()> {
        // An address without an account counts alike, or the limit would show which ones have one.
        // Hashed, so that counters that others keep hold no address.
        let name = hashed(account);
        self.count(&format!("attempts:account:{name}"), self.config.attempts_of_account).await
    }

    /// Counts an attempt on a second factor, which must not be tried as often as the password.
    pub(crate) async fn count_code(&self, account: &str) -> Result<()> {
        self.hit(&format!("attempts:code:{}", hashed(account)), CODES).await
    }

    /// Counts a mail to an address, whether it has an account or not.
    pub(crate) async fn count_mail(&self, address: &str) -> Result<()> {
        self.hit(&format!("attempts:mail:{}", hashed(address)), MAILS).await
    }

    async fn count(&self, key: &str, most: u64) -> Result<()> {
        self.hit(key, Limit { most, window: WINDOW }).await
    }

    async fn hit(&self, key: &str, limit: Limit) -> Result<()> {
        let hit = self.store.counters.hit(key, limit).await;
        if hit.allowed {
            return Ok(());
        }
        let detail = "There were too many attempts; wait a little, then try again.";
        let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail);
        // At least a second: a client that comes back at once would only be refused again.
        Err(problem.retry_after(hit.rest.as_secs() as u32 + 1).into())
    }
}

fn hashed(account: &str) -> String {
    Sha256::digest(account.as_bytes()).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
