//! An upload's life: begun, appended to, finished or abandoned. Its bytes are `incoming`'s.

mod lease;

use std::{collections::HashMap, path::Path};

pub use lease::{Lease, Leases};
use traces::TraceContext;
use tracing::{Span, info_span};

use crate::{
    Append, Blobs, NewVideo, Result, Signal, Signals, Timestamp, UserId, VideoId,
    incoming::Incoming,
    jobs::insert_prepare,
    listing::title_key,
    search::index_video,
    sql::{FromRow, LockScope, Row, Sql, query},
    webhooks::{Event, note},
};

/// An upload that is not complete. It has the id of the video that it becomes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// The video's id.
    pub id: VideoId,
    /// The whole length in bytes, when the client gave it.
    pub length: Option<u64>,
    /// When it counts as abandoned.
    pub expires_at: Timestamp,
    /// The request that began it.
    trace: Option<TraceContext>,
}

impl Upload {
    /// Returns a span for work on it, in the trace of the request that began it: its pieces may come by many.
    pub fn span(&self) -> Span {
        let span = info_span!("upload", video = %self.id);
        if let Some(trace) = &self.trace {
            trace.lead(&span);
        }
        span
    }
}

const MEASURED_AT_ONCE: i64 = 100;

/// How much of an upload has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBytes {
    /// So much is stored.
    pub stored: u64,
    /// The whole length, when the client gave it.
    pub length: Option<u64>,
}

struct StoredRow {
    id: VideoId,
    length: Option<u64>,
    /// In a cluster; the files of a folder have their own lengths.
    stored: u64,
    unverified_from: Option<u64>,
}

/// Uploads that are not complete.
#[derive(Clone, Debug)]
pub struct Uploads {
    sql: Sql,
    signals: Signals,
    incoming: Incoming,
    blobs: Blobs,
    /// The leases that origins of a cluster append by.
    pub leases: Leases,
}

impl Uploads {
    pub(crate) fn new(sql: Sql, signals: Signals, incoming: Incoming, blobs: Blobs) -> Self {
        Self { leases: Leases::new(sql.clone()), sql, signals, incoming, blobs }
    }

    /// Begins an upload, and with it a video in state `uploading`.
    pub async fn begin(
        &self,
        video: &NewVideo,
        length: Option<u64>,
        expires_at: Timestamp,
    ) -> Result<Upload> {
        let upload = Upload { id: VideoId::random(), length, expires_at, trace: TraceContext::current() };
        // Both rows are written or neither: a video in `uploading` without an upload has no expiry and would stay for ever.
        let mut tx = self.sql.begin(LockScope::New).await?;
        query(
            "insert into videos (id, title, description, state, source_name, created_at, owner_id, title_key)
             values ($1, $2, $3, 'uploading', $4, $5, $6, $7)",
        )
        .bind(upload.id.as_str())
        .bind(&video.title)
        .bind(&video.description)
        .bind(&video.source_name)
        .bind(Timestamp::now().0)
        .bind(video.owner.as_ref().map(UserId::as_str))
        .bind(&title_key(&video.title))
        .execute(&mut tx)
        .await?;
        query("insert into uploads (video_id, length, expires_at, trace) values ($1, $2, $3, $4)")
            .bind(upload.id.as_str())
            .bind(length.map(|n| n as i64))
            .bind(expires_at.0)
            .bind(upload.trace.as_ref().map(TraceContext::as_str))
            .execute(&mut tx)
            .await?;
        index_video(&mut tx, &upload.id).await?;
        tx.commit().await?;
        // The signal follows the commit: a subscriber reads the row at once and must find it.
        self.signals.publish(Signal::Changed(upload.id.clone()));
        Ok(upload)
    }

    /// Returns the upload `id`, unless it is complete or gone.
    pub async fn get(&self, id: &VideoId) -> Result<Option<Upload>> {
        let query = query("select * from uploads where video_id = $1").bind(id.as_str());
        let upload: Option<Upload> = query.fetch_optional(&self.sql).await?;
        // A finish that moved the file and could not commit is completed by the next look.
        if upload.is_some() && self.blobs.open_blob(&id.source()).await?.is_some() {
            self.commit_finish(id).await?;
            return Ok(None);
        }
        Ok(upload)
    }

    /// Returns how much is stored of those of the uploads `ids` that are not complete, by one statement.
    pub async fn stored(&self, ids: &[VideoId]) -> Result<HashMap<VideoId, StoredBytes>> {
        let query = query("select * from uploads where video_id in (select value from json_each($1))");
        let rows: Vec<StoredRow> = query.bind(&VideoId::list(ids)).fetch_all(&self.sql).await?;
        let sources: Vec<String> = rows.iter().map(|row| row.id.source()).collect();
        let sources = self.blobs.existing(&sources).await?;
        let mut uploads = HashMap::new();
        for row in rows {
            // As in `get`: the next look completes what could not be committed.
            if sources.contains(&row.id.source()) {
                self.commit_finish(&row.id).await?;
                continue;
            }
            let stored = match &self.incoming {
                Incoming::Folder(folder) => {
                    folder.len(&row.id).await?.min(row.unverified_from.unwrap_or(u64::MAX))
                }
                Incoming::Shared(_) | Incoming::Absent => row.stored,
            };
            uploads.insert(row.id, StoredBytes { stored, length: row.length });
        }
        Ok(uploads)
    }

    /// Returns how many bytes of the upload are stored.
    pub async fn offset(&self, id: &VideoId) -> Result<u64> {
        let Incoming::Folder(folder) = &self.incoming else {
            let query = query("select stored from uploads where video_id = $1").bind(id.as_str());
            let stored: Option<i64> = query.fetch_optional(&self.sql).await?;
            return Ok(stored.unwrap_or_default() as u64);
        };
        // Bytes whose checksum has not been compared yet do not count as stored.
        let query = query("select unverified_from from uploads where video_id = $1").bind(id.as_str());
        let unverified: Option<Option<i64>> = query.fetch_optional(&self.sql).await?;
        let len = folder.len(id).await?;
        Ok(unverified.flatten().map_or(len, |from| len.min(from as u64)))
    }

    /// Returns the right to append, or `None` while another request has it.
    ///
    /// With `verify`, all bytes appended are dropped again unless [`Self::verified`] is called.
    pub async fn append(&self, id: &VideoId, verify: bool) -> Result<Option<Append>> {
        let Some(mut append) = self.incoming.append(id, verify).await? else { return Ok(None) };
        if matches!(self.incoming, Incoming::Folder(_)) {
            // A caller that went away in the middle of a checked append left the mark.
            let offset = self.offset(id).await?;
            if offset < append.offset() {
                append.cut(offset).await?;
            }
            // The mark comes before the first byte, or a kill in between would leave unverified bytes that count.
            self.mark(id, verify.then_some(offset)).await?;
        }
        Ok(Some(append))
    }

    /// Keeps what was appended since [`Self::append`] with `verify`.
    pub async fn verified(&self, append: &mut Append) -> Result<()> {
        append.verified().await?;
        match self.incoming {
            Incoming::Folder(_) => self.mark(append.id(), None).await,
            Incoming::Shared(_) | Incoming::Absent => Ok(()),
        }
    }

    /// Moves the moment from which the upload counts as abandoned.
    pub async fn extend(&self, id: &VideoId, expires_at: Timestamp) -> Result<()> {
        query("update uploads set expires_at = $2 where video_id = $1")
            .bind(id.as_str())
            .bind(expires_at.0)
            .execute(&self.sql)
            .await?;
        self.signals.publish(Signal::Changed(id.clone()));
        Ok(())
    }

    /// Completes the upload: its bytes become the video's source, and the packager gets a job.
    pub async fn finish(&self, mut append: Append) -> Result<()> {
        // A crash between this and the commit leaves a row beside a source, which `get` puts right.
        append.become_source(&self.blobs).await?;
        self.commit_finish(append.id()).await
    }

    /// Completes an upload without bytes of its own: the file at `path`, which stays where it is, becomes the
    /// video's source.
    pub async fn finish_linked(&self, id: &VideoId, path: &Path) -> Result<()> {
        self.blobs.link(path, &id.source()).await?;
        self.commit_finish(id).await
    }

    /// Returns uploads that were abandoned before `now`.
    pub(crate) async fn expired(&self, now: Timestamp) -> Result<Vec<VideoId>> {
        query("select video_id from uploads where expires_at < $1").bind(now.0).fetch_all(&self.sql).await
    }

    pub(crate) async fn discard_bytes(&self, id: &VideoId) -> Result<()> {
        self.incoming.remove(id).await
    }

    pub(crate) async fn drop_unverified(&self) -> Result<()> {
        let Incoming::Folder(folder) = &self.incoming else { return Ok(()) };
        // A checksum comes with its request's fields or trailer (tus, Checksum), so it died with the process.
        let query = query("select video_id from uploads where unverified_from is not null");
        for id in query.fetch_all::<VideoId>(&self.sql).await? {
            let from = self.offset(&id).await?;
            folder.truncate(&id, from).await?;
            self.mark(&id, None).await?;
        }
        Ok(())
    }

    pub(crate) async fn sweep_bytes(&self) -> Result<()> {
        let Incoming::Folder(folder) = &self.incoming else { return Ok(()) };
        for name in folder.names().await? {
            // A file whose name is no id was not made here, and deleting it would be a guess.
            let Ok(id) = name.parse::<VideoId>() else { continue };
            if self.get(&id).await?.is_none() {
                folder.remove(&id).await?;
            }
        }
        Ok(())
    }

    /// Deletes what uploads left in a cluster that have had no row for long.
    pub(crate) async fn sweep_old(&self) -> Result<()> {
        let Incoming::Shared(shared) = &self.incoming else { return Ok(()) };
        for id in shared.old().await? {
            // The note of an upload that takes days is old, too; only without a row it is nobody's.
            if !self.leases.upload_exists(&id).await? {
                shared.sweep(&id).await?;
            }
        }
        Ok(())
    }

    /// Finishes uploads that have all their bytes, but whose server died before it could.
    pub(crate) async fn finish_whole(&self) -> Result<()> {
        // A client whose last answer was lost asks by HEAD, finds all its bytes there and sends no PATCH again (tus, Core).
        for id in query("select video_id from uploads").fetch_all::<VideoId>(&self.sql).await? {
            let Some(upload) = self.get(&id).await? else { continue };
            if upload.length == Some(self.offset(&upload.id).await?)
                && let Some(append) = self.append(&upload.id, false).await?
            {
                self.finish(append).await?;
            }
        }
        Ok(())
    }

    /// Measures the files of videos that a program without quotas took.
    pub(crate) async fn measure_old(&self) -> Result<()> {
        let mut after = String::new();
        loop {
            let unmeasured: Vec<VideoId> = query(
                "select id as video_id from videos
                 where source_bytes is null and state <> 'uploading' and id > $1 order by id limit $2",
            )
            .bind(&after)
            .bind(MEASURED_AT_ONCE)
            .fetch_all(&self.sql)
            .await?;
            let Some(last) = unmeasured.last() else { return Ok(()) };
            after = last.to_string();
            for id in &unmeasured {
                self.measure(id).await?;
            }
        }
    }

    async fn measure(&self, id: &VideoId) -> Result<()> {
        let bytes = self.blobs.open_blob(&id.source()).await?.map_or(0, |blob| blob.len);
        query("update videos set source_bytes = $2 where id = $1")
            .bind(id.as_str())
            .bind(bytes as i64)
            .execute(&self.sql)
            .await
            .map(drop)
    }

    async fn commit_finish(&self, id: &VideoId) -> Result<()> {
        // Before the row of the upload goes, whose length counts until then.
        self.measure(id).await?;
        let mut tx = self.sql.begin(LockScope::Video(id)).await?;
        let ours =
            query("delete from uploads where video_id = $1").bind(id.as_str()).execute(&mut tx).await?;
        if ours == 0 {
            // Somebody else has committed it, and the packager may be done with it.
            return Ok(());
        }
        query("update videos set state = 'uploaded' where id = $1 and state = 'uploading'")
            .bind(id.as_str())
            .execute(&mut tx)
            .await?;
        insert_prepare(&mut tx, id).await?;
        note(Event::Uploaded, id).execute(&mut tx).await?;
        tx.commit().await?;
        self.signals.publish_as(crate::signals::Topic::Uploaded, Signal::Changed(id.clone()));
        self.signals.notify_workers();
        Ok(())
    }

    async fn mark(&self, id: &VideoId, unverified_from: Option<u64>) -> Result<()> {
        query("update uploads set unverified_from = $2 where video_id = $1")
            .bind(id.as_str())
            .bind(unverified_from.map(|n| n as i64))
            .execute(&self.sql)
            .await?;
        Ok(())
    }
}

impl FromRow for StoredRow {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let number = |column| row.try_get::<Option<i64>, _>(column);
        Ok(Self {
            id: VideoId::of_row(row, "video_id")?,
            length: number("length")?.map(|n| n as u64),
            stored: number("stored")?.unwrap_or_default() as u64,
            unverified_from: number("unverified_from")?.map(|n| n as u64),
        })
    }
}

impl FromRow for Upload {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let length: Option<i64> = row.try_get("length")?;
        Ok(Self {
            id: VideoId::of_row(row, "video_id")?,
            length: length.map(|n| n as u64),
            expires_at: Timestamp(row.try_get("expires_at")?),
            trace: row.try_get::<Option<String>, _>("trace")?.as_deref().and_then(TraceContext::parse),
        })
    }
}
