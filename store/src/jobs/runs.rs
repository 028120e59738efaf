//! Runs in hand: how a claimed run stands after each of its segments.

use super::{Job, Jobs, Rank};
use crate::{
    Result, Timestamp,
    sql::{FromRow, Row, query},
};

/// The standing of a run in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The end of the run; less than at the claim, where a viewer's want cut it off.
    pub last: u32,
    /// Something more urgent waits for a worker.
    pub outranked: bool,
}

impl Jobs {
    /// Returns how a claimed run stands; `None` when the lease is gone.
    ///
    /// Jobs of another rank do not count: those have workers of their own.
    pub async fn standing(&self, job: &Job) -> Result<Option<Standing>> {
        query(
            "select j.last, coalesce((
                 select k.priority from jobs k
                 where k.kind = j.kind and k.priority > j.priority and k.priority <= $3
                   and k.not_before <= $4 and (k.lease_until is null or k.lease_until < $4)
                 order by k.priority desc limit 1), -1) as above
             from jobs j where j.id = $1 and j.lease_owner = $2",
        )
        .bind(&job.id)
        .bind(&job.owner)
        .bind(job.rank().classes().end().priority())
        .bind(Timestamp::now().0)
        .fetch_optional(&self.sql)
        .await
    }

    /// Returns whether a viewer waits for a claimed run by now.
    pub(crate) async fn is_waited_for_by_now(&self, job: &Job) -> Result<bool> {
        let query = query("select priority from jobs where id = $1 and lease_owner = $2");
        let priority: Option<i64> = query.bind(&job.id).bind(&job.owner).fetch_optional(&self.sql).await?;
        Ok(priority.is_some_and(|priority| Rank::of(priority) == Rank::Waited))
    }

    /// Records how fast a claimed run comes out of its encoder: seconds of media for each second of work.
    pub async fn set_speed(&self, job: &Job, speed: f64) -> Result<()> {
        let query = query("update jobs set speed = $3 where id = $1 and lease_owner = $2");
        query.bind(&job.id).bind(&job.owner).bind(speed).execute(&self.sql).await.map(drop)
    }

    /// Starts the count of a claimed job's attempts again, for it has come further: only what stops a run at the same
    /// place again and again is to end it.
    pub async fn progressed(&self, job: &Job) -> Result<()> {
        let query = query("update jobs set attempts = 1 where id = $1 and lease_owner = $2");
        query.bind(&job.id).bind(&job.owner).execute(&self.sql).await.map(drop)
    }

    /// Returns the attempts that count against a claimed job by now; those at its claim, when the lease is gone.
    pub(crate) async fn attempts(&self, job: &Job) -> Result<u32> {
        let query = query("select attempts from jobs where id = $1 and lease_owner = $2");
        let attempts: Option<i64> = query.bind(&job.id).bind(&job.owner).fetch_optional(&self.sql).await?;
        Ok(attempts.map_or(job.attempts, |attempts| attempts as u32))
    }
}

impl Job {
    /// Returns its rank at the claim.
    pub fn rank(&self) -> Rank {
        Rank::of(self.priority)
    }

    /// Returns whether a viewer was behind it at the claim.
    pub fn is_urgent(&self) -> bool {
        self.rank() > Rank::Calm
    }
}

impl FromRow for Standing {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let (last, above): (i64, i64) = (row.try_get("last")?, row.try_get("above")?);
        Ok(Self { last: last as u32, outranked: above >= 0 })
    }
}
