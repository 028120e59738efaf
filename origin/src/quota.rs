//! The quota of whoever uploads: looked at before an upload is accepted, once more when it has begun, for another may have begun
//! beside it, and as the bytes of one without a length come.

use http::StatusCode;
use server::Problem;
use store::{Balance, Exceeded, UserId};

use crate::{
    Origin,
    error::{Error, Result},
};

impl Origin {
    /// Refuses `bytes` more of a person's, where they have none left. What is nobody's has no quota.
    pub(crate) async fn admit(&self, owner: Option<&UserId>, bytes: u64) -> Result<()> {
        let Some(owner) = owner else { return Ok(()) };
        let balance = self.store.quotas.balance(owner, self.config.quota).await?;
        balance.admits(bytes).map_err(|part| exceeded(&balance, part, bytes))
    }

    /// Returns how many bytes a person may add; `None` is any number.
    pub(crate) async fn bytes_left(&self, owner: Option<&UserId>) -> Result<Option<u64>> {
        let Some(owner) = owner else { return Ok(None) };
        Ok(self.store.quotas.balance(owner, self.config.quota).await?.bytes_left())
    }
}

fn exceeded(balance: &Balance, part: Exceeded, bytes: u64) -> Error {
    let Balance { usage, quota } = balance;
    let detail = match part {
        Exceeded::Bytes => format!(
            "Your videos have {} of the {} bytes that they may have, and this would add {bytes}. Delete some first, or ask \
             an administrator for more.",
            usage.bytes,
            quota.bytes.unwrap_or_default()
        ),
        Exceeded::Minutes => format!(
            "Your videos have {:.1} of the {} minutes that they may have. Delete some first, or ask an administrator for \
             more.",
            usage.minutes,
            quota.minutes.unwrap_or_default()
        ),
    };
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "quota_exceeded", detail).into()
}
