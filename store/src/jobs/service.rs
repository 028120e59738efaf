//! Service: how long workers have been at the jobs of each owner and of each video, class by class. The least served one is
//! next: start-time fair queueing on two levels, as Goyal, Guo and Vin (1996) schedule processors. Leaves the choice to
//! `claim`, and the rows of what comes new to the triggers of the tables.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{Job, Jobs};
use crate::{
    Result, Timestamp,
    sql::{FromRow, LockScope, Row, query},
};

/// The time that a claim is charged with before it is worked: of many workers that claim at once each sees what those before
/// it took, and a job that kills its workers is not served for nothing.
pub const CHARGED_AHEAD: Duration = Duration::from_secs(5);
// An owner who was idle for longer begins where the others are.
const KEPT: Duration = Duration::from_hours(1);

/// The time that a worker's processes have stood still, which its jobs are not charged with.
#[derive(Clone, Debug, Default)]
pub struct Pauses {
    microseconds: Arc<AtomicU64>,
}

impl Pauses {
    /// Adds a pause that is over.
    pub fn add(&self, pause: Duration) {
        self.microseconds.fetch_add(pause.as_micros() as u64, Ordering::Relaxed);
    }

    /// Returns all pauses so far.
    pub fn total(&self) -> Duration {
        Duration::from_micros(self.microseconds.load(Ordering::Relaxed))
    }
}

impl Jobs {
    /// Charges the video and the owner of a claimed job with `worked`, of which `charged` is charged already.
    pub async fn charge(&self, job: &Job, charged: Duration, worked: Duration) -> Result<()> {
        let difference = worked.as_micros() as i64 - charged.as_micros() as i64;
        if difference == 0 {
            return Ok(());
        }
        // The video before its owner, here and at the claim, so that no two transactions lock each other out.
        let mut tx = self.sql.begin(LockScope::New).await?;
        let mut name = Some(job.video.to_string());
        while let Some(part) = name {
            let query = query(
                "update service set served = served + $3, used_at = $4
                 where priority = $1 and name = $2 and part_of is not null returning part_of, served",
            );
            let query = query.bind(job.priority).bind(&part).bind(difference).bind(Timestamp::now().0);
            name = query.fetch_optional(&mut tx).await?.and_then(Service::owner);
        }
        tx.commit().await
    }

    /// Charges a claim ahead, and sets the clocks by it: what has been idle makes up for no time in which it had no work.
    pub(super) async fn begin_service(&self, job: &Job) -> Result<()> {
        let ahead = CHARGED_AHEAD.as_micros() as i64;
        let mut tx = self.sql.begin(LockScope::New).await?;
        let mut name = Some(job.video.to_string());
        while let Some(part) = name {
            let lift = query(
                "update service set used_at = $3, served = $4 + coalesce((
                     select case when whole.clock > service.served then whole.clock else service.served end
                     from service whole where whole.priority = service.priority and whole.name = service.part_of), served)
                 where priority = $1 and name = $2 and part_of is not null returning part_of, served",
            );
            let lift = lift.bind(job.priority).bind(&part).bind(Timestamp::now().0).bind(ahead);
            let service: Option<Service> = lift.fetch_optional(&mut tx).await?;
            if let Some(Service { part_of, served }) = &service {
                // A clock never goes back: the claims of two workers may be counted in either order.
                let set =
                    query("update service set clock = $3 where priority = $1 and name = $2 and clock < $3");
                set.bind(job.priority).bind(part_of).bind(served - ahead).execute(&mut tx).await?;
            }
            name = service.and_then(Service::owner);
        }
        tx.commit().await
    }

    /// Forgets the service of what has no jobs and had none for an hour.
    pub(crate) async fn forget_service(&self, now: Timestamp) -> Result<()> {
        let query = query(
            // Counts and no `not exists`, which PostgreSQL answers by going through all jobs.
            "delete from service where used_at < $1 and part_of is not null
                 and (select count(*) from jobs j where j.video_id = service.name and j.priority = service.priority) = 0
                 and (select count(*) from service p
                      where p.priority = service.priority and p.part_of = service.name) = 0",
        );
        query.bind(now.0 - KEPT.as_micros() as i64).execute(&self.sql).await.map(drop)
    }
}

/// The service of a video or of an owner.
struct Service {
    part_of: String,
    served: i64,
}

impl Service {
    /// Returns the owner of a video's service; `None` for an owner's, which is a part of a class.
    fn owner(self) -> Option<String> {
        Some(self.part_of).filter(|name| !name.is_empty())
    }
}

impl FromRow for Service {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        Ok(Self { part_of: row.try_get("part_of")?, served: row.try_get("served")? })
    }
}
