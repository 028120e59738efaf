//! The claim: which job is next, and whose it is for how long. Leaves the time that is counted to `service`.
//!
//! The most urgent class is next; in it the owner who has been served least, then that owner's video, then the video's job.

use std::{ops::RangeInclusive, time::Duration};

use super::{Class, Job, Jobs, Kind};
use crate::{
    Result, Timestamp,
    sql::{LockScope, query},
};

/// The version of the plans that this program makes, and the newest that it reads. It rises with each change that has a
/// program of the version before encode something else by the same plan.
pub(crate) const PLAN_VERSION: i64 = 1;

// `finish` measures what all other jobs of its video make; captions may take hours and are nothing to measure, and
// playlists are what it writes itself.
/// The conditions on a job that may be claimed.
macro_rules! claimable {
    () => {
        "j.kind in ($4, $5, $6, $7, $8, $9, $10, $11)
           and j.not_before <= $3
           and exists (select 1 from videos v where v.id = j.video_id and v.plan_version <= $15)
           and (j.lease_until is null or j.lease_until < $3)
           and (j.kind <> 'finish' or not exists (
               select 1 from jobs k where k.video_id = j.video_id and k.id <> j.id
                 and k.kind not in ('captions', 'playlists')))
           and (j.kind not in ('prepare', 'finish', 'playlists') or not exists (
               select 1 from jobs k where k.video_id = j.video_id and k.id <> j.id
                 and k.kind in ('prepare', 'finish', 'playlists') and k.lease_until >= $3))
           and (j.kind <> 'captions' or (
               exists (select 1 from videos v where v.id = j.video_id and v.state in ('playable', 'ready'))
               and not exists (
                   select 1 from jobs k join videos v on v.id = k.video_id
                   where v.state in ('uploaded', 'planned') and k.lease_until >= $3 and k.lease_machine = $14
                     and k.kind in ('prepare', 'audio', 'video'))))"
    };
}

// SQLite has one writer at a time, and no `skip locked`; in PostgreSQL, a claim skips rows that another is claiming.
macro_rules! claim {
    ($locking:literal) => {
        concat!(
            // The class comes first, by an index; fairness counts within it alone.
            "with next as (
                 select j.priority from jobs j where j.priority between $12 and $13 and ",
            claimable!(),
            " order by j.priority desc limit 1)
             ",
            // `again` is cleared before the work reads its input: a change that comes later sets it once more, and `finish`
            // keeps the row.
            "update jobs set lease_owner = $1, lease_until = $2, attempts = attempts + 1, again = false, claimed_at = $3,
                 lease_machine = $14, speed = null
             where id = coalesce((
                 select job from (
                     select (
                         select job from (
                             select (
                                 select j.id from jobs j where j.video_id = video.name and j.priority = video.priority and ",
            claimable!(),
            " order by j.turn, j.queued_at, j.first limit 1",
            $locking,
            ") as job, video.served, video.since, video.name
                             from service video
                             where video.priority = owner.priority and video.part_of = owner.name) of_videos
                         where job is not null order by served, since, name limit 1
                     ) as job, owner.served, owner.since, owner.name
                     from service owner
                     where owner.priority = (select priority from next) and owner.part_of = '') of_owners
                 where job is not null order by served, since, name limit 1
             ), (
                 ",
            // Jobs that another claim is about to take, and those that have no service counted.
            "select j.id from jobs j where j.priority between $12 and (select priority from next) and ",
            claimable!(),
            " order by j.priority desc, j.turn, j.queued_at, j.first limit 1",
            $locking,
            ")) returning *"
        )
    };
}
const CLAIM: &str = claim!("");
const CLAIM_SHARED: &str = claim!(" for update skip locked");

/// The claimer of a job, and for how long it is the only one.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// A name that no other claimer has.
    pub owner: &'a str,
    /// From the claim on, and from each renewal on.
    pub lease: Duration,
}

impl Jobs {
    /// Claims the most urgent job of one of `kinds` for `lease`; exactly one claimer gets it. Within a class the owner is
    /// next who has been served least, and of that owner the video.
    ///
    /// Jobs that write a video's playlists are claimed one at a time, so that no older view of it overwrites a newer one.
    /// Jobs of plans that are newer than this program are left to newer ones.
    /// Captions wait until their video plays, and while an encoder of their machine works on one that does not: a person
    /// looks at that page and sees nothing.
    pub async fn claim(&self, kinds: &[Kind], owner: &str, lease: Duration) -> Result<Option<Job>> {
        self.claim_of(&Class::ALL, kinds, &Claim { owner, lease }).await
    }

    /// Claims like [`Self::claim`], among jobs of some classes.
    pub async fn claim_of(
        &self,
        classes: &RangeInclusive<Class>,
        kinds: &[Kind],
        claim: &Claim<'_>,
    ) -> Result<Option<Job>> {
        let Some(job) = self.next(classes, kinds, claim).await? else { return Ok(None) };
        // The claim stands without it: a charge that is lost makes a turn too early, and no job is done twice.
        if let Err(error) = self.begin_service(&job).await {
            tracing::warn!(%error, "cannot count a claim");
        }
        Ok(Some(job))
    }

    async fn next(
        &self,
        classes: &RangeInclusive<Class>,
        kinds: &[Kind],
        claim: &Claim<'_>,
    ) -> Result<Option<Job>> {
        let Claim { owner, lease } = *claim;
        // Leases compare clocks of several machines: one that is wrong by twenty seconds takes jobs from owners that live.
        let now = Timestamp::now();
        let places = [now + lease, now];
        let bound = |statement: &'static str| {
            let query = query(statement).bind(owner).bind(places[0].0).bind(places[1].0);
            // One statement for every choice of kinds: a kind that is not wanted is null, which equals nothing.
            let query = Kind::ALL
                .iter()
                .fold(query, |query, kind| query.bind(kinds.contains(kind).then_some(kind.as_str())));
            query
                .bind(classes.start().priority())
                .bind(classes.end().priority())
                .bind(&*self.machine)
                .bind(PLAN_VERSION)
        };
        if self.sql.is_shared() && kinds.iter().any(|kind| kind.writes_playlists()) {
            // Two claims at once do not see each other; of these kinds that would make two writers.
            let mut tx = self.sql.begin(LockScope::Writers).await?;
            let job = bound(CLAIM_SHARED).fetch_optional(&mut tx).await?;
            tx.commit().await?;
            return Ok(job);
        }
        let statement = if self.sql.is_shared() { CLAIM_SHARED } else { CLAIM };
        bound(statement).fetch_optional(&self.sql).await
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row as _};
    use testbed::Postgres;

    use super::*;
    use crate::{Store, VideoId, sql::Sql};

    /// Returns a claim of an encoder's, with its values in it.
    fn claim_text(statement: &str) -> String {
        let values = [
            "'w'", "9", "5", "'video'", "null", "null", "null", "null", "null", "null", "null", "20", "50",
            "'m'", "1",
        ];
        let numbered = values.iter().enumerate().rev();
        numbered.fold(statement.to_owned(), |text, (n, value)| text.replace(&format!("${}", n + 1), value))
    }

    #[tokio::test]
    async fn a_claim_reads_the_queue_in_the_order_of_an_index() {
        let folder = tempfile::tempdir().unwrap();
        let lock = crate::sql::lock(folder.path()).await.unwrap();
        let Sql::Sqlite { pool, .. } = crate::sql::open(folder.path(), lock).await.unwrap() else {
            unreachable!()
        };
        let explain = AssertSqlSafe(format!("explain query plan {}", claim_text(CLAIM)));
        let rows = sqlx::query(explain).fetch_all(&pool).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        for index in ["jobs_order", "jobs_of_class", "service_order"] {
            assert!(plan.iter().any(|step| step.contains(&format!("INDEX {index} "))), "{index}: {plan:#?}");
        }
        assert!(plan.iter().all(|step| !step.contains("TEMP B-TREE")), "{plan:#?}");
        assert!(plan.iter().all(|step| !step.starts_with("SCAN") || step == "SCAN next"), "{plan:#?}");
    }

    #[tokio::test]
    async fn jobs_of_a_newer_plan_are_left_to_newer_workers() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::embedded(folder.path()).await.unwrap();
        let jobs = &store.jobs;
        let newer = "insert into videos (id, title, state, source_name, created_at, plan_version)
            values ($1, '', 'planned', '', 0, $2)";
        let id = VideoId::random();
        query(newer).bind(id.as_str()).bind(PLAN_VERSION + 1).execute(&jobs.sql).await.unwrap();
        for kind in Kind::ALL {
            let job = "insert into jobs (id, video_id, kind, track, first, last, priority, turn, queued_at)
                values ($1, $2, $1, '', 0, 1, 20, 0, 0)";
            query(job).bind(kind.as_str()).bind(id.as_str()).execute(&jobs.sql).await.unwrap();
        }
        let lease = Duration::from_mins(1);
        assert!(jobs.claim(&Kind::ALL, "older", lease).await.unwrap().is_none());
        query("update videos set plan_version = $1").bind(PLAN_VERSION).execute(&jobs.sql).await.unwrap();
        assert!(jobs.claim(&Kind::ALL, "this one", lease).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_claim_of_a_cluster_reads_the_queue_in_the_order_of_an_index() {
        let url = Postgres::shared().database();
        crate::migrate(&url).await.unwrap();
        let pool = sqlx::PgPool::connect(&url).await.unwrap();
        let many = "insert into videos (id, title, state, source_name, created_at) values ('v', '', 'planned', '', 0);
            insert into jobs (id, video_id, kind, track, first, last, priority, turn, queued_at)
                select n, 'v', 'video', '480p', n, n + 1, 20 + n % 2 * 10, n, n from generate_series(1, 20000) n;
            analyze jobs;";
        sqlx::raw_sql(many).execute(&pool).await.unwrap();
        let explain = AssertSqlSafe(format!("explain {}", claim_text(CLAIM_SHARED)));
        let rows = sqlx::query(explain).fetch_all(&pool).await.unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(plan.iter().any(|step| step.contains("Index Scan using jobs_order on jobs j")), "{plan:#?}");
        assert!(plan.iter().all(|step| !step.contains("Sort")), "{plan:#?}");
    }
}
