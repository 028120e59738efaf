//! The lease of an upload that several origins share: one holder at a time, renewed while it lives, with a fence that
//! rises at every takeover (Kleppmann's fencing token). Leaves the bytes to `incoming`.

use std::time::Duration;

use crate::{
    Result, Timestamp, VideoId,
    sql::{FromRow, Row, Sql, query},
};

/// The right of one request to append to an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The upload's id.
    pub id: VideoId,
    /// Higher than that of every holder before.
    pub fence: i64,
    /// Bytes that are kept, which is where the next one goes.
    pub stored: u64,
    owner: String,
}

/// The leases of all uploads.
#[derive(Clone, Debug)]
pub struct Leases {
    sql: Sql,
}

impl Leases {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql }
    }

    /// Returns whether the upload is begun and not complete.
    pub(crate) async fn upload_exists(&self, id: &VideoId) -> Result<bool> {
        let query = query("select stored from uploads where video_id = $1").bind(id.as_str());
        Ok(query.fetch_optional::<i64>(&self.sql).await?.is_some())
    }

    /// Acquires the lease of an upload for `span`, or returns `None` while another holds it or when it is gone.
    pub async fn acquire(&self, id: &VideoId, span: Duration) -> Result<Option<Lease>> {
        // The owner is a request and not a process: two requests of one origin exclude each other as well.
        let owner = VideoId::random().to_string();
        let now = Timestamp::now();
        query(
            // The fence rises in the statement that takes the lease, so that no two holders ever have the same.
            "update uploads set lease_owner = $2, lease_until = $3, fence = fence + 1
             where video_id = $1 and (lease_until is null or lease_until < $4)
             returning video_id, fence, stored, lease_owner",
        )
        .bind(id.as_str())
        .bind(&owner)
        .bind((now + span).0)
        .bind(now.0)
        .fetch_optional(&self.sql)
        .await
    }

    /// Renews a lease for another `span`. Returns whether it still held.
    pub async fn renew(&self, lease: &Lease, span: Duration) -> Result<bool> {
        // The clock does not count: a lease that ran out and that no other request took is still this one's.
        let query = query("update uploads set lease_until = $3 where video_id = $1 and lease_owner = $2");
        let query = query.bind(lease.id.as_str()).bind(&lease.owner).bind((Timestamp::now() + span).0);
        Ok(query.execute(&self.sql).await? > 0)
    }

    /// Records how many bytes are kept, and renews the lease for another `span`. Returns whether the lease still
    /// held; if not, nothing was recorded.
    pub async fn store_up_to(&self, lease: &mut Lease, stored: u64, span: Duration) -> Result<bool> {
        let query = query(
            "update uploads set stored = $3, lease_until = $4 where video_id = $1 and lease_owner = $2",
        );
        let query = query
            .bind(lease.id.as_str())
            .bind(&lease.owner)
            .bind(stored as i64)
            .bind((Timestamp::now() + span).0);
        let ours = query.execute(&self.sql).await? > 0;
        if ours {
            lease.stored = stored;
        }
        Ok(ours)
    }

    /// Releases a lease before its end.
    pub async fn release(&self, lease: &Lease) -> Result<()> {
        query(
            // The owner is compared, or a late release would free the lease of the holder that came after.
            "update uploads set lease_owner = null, lease_until = null
             where video_id = $1 and lease_owner = $2",
        )
        .bind(lease.id.as_str())
        .bind(&lease.owner)
        .execute(&self.sql)
        .await?;
        Ok(())
    }
}

impl FromRow for Lease {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let stored: i64 = row.try_get("stored")?;
        Ok(Self {
            id: VideoId::of_row(row, "video_id")?,
            fence: row.try_get("fence")?,
            stored: stored as u64,
            owner: row.try_get("lease_owner")?,
        })
    }
}
