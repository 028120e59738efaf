//! The store as one handle, and its two constructors: one machine's, and a cluster's.

use std::path::Path;

use tokio_util::sync::CancellationToken;

use crate::{
    Accounts, Blobs, Captions, Chunks, Counters, Grants, Jobs, Posters, Quotas, Renditions, Result, Search,
    Shares, Signals, Timestamp, UploadLeases, Uploads, UserId, VideoId, Videos, Views, Webhooks,
    accounts::{Change, Changed, Deletion},
    blobs,
    incoming::{Incoming, Shared},
    listing,
    metrics::StoreMetrics,
    revocations, search, sql,
};

/// Everything that is kept, as one handle that is cheap to clone.
#[derive(Clone, Debug)]
pub struct Store {
    /// The library.
    pub videos: Videos,
    /// Uploads that are not complete.
    pub uploads: Uploads,
    /// Renditions and their published segments.
    pub renditions: Renditions,
    /// Caption tracks and their cues.
    pub captions: Captions,
    /// Search over the library's words.
    pub search: Search,
    /// Storage by person.
    pub quotas: Quotas,
    /// How many people have watched a video.
    pub views: Views,
    /// Links that open one video each.
    pub shares: Shares,
    /// Accounts that may watch a private video of another's.
    pub grants: Grants,
    /// Addresses of other programs that are notified, and what is to be sent to them.
    pub webhooks: Webhooks,
    /// Posters that their owners have chosen.
    pub posters: Posters,
    /// The job queue.
    pub jobs: Jobs,
    /// Sources, segments and playlists.
    pub blobs: Blobs,
    /// Segments that this process is encoding.
    pub chunks: Chunks,
    /// Changes, for subscribers.
    pub signals: Signals,
    /// Rate limits.
    pub counters: Counters,
    /// People, and what lets them in.
    pub accounts: Accounts,
}

/// Where the servers of a cluster are. The URLs may have passwords in them.
#[derive(Clone)]
pub struct Cluster {
    /// PostgreSQL: the library and the work that is left.
    pub postgres: String,
    /// MongoDB: sources, segments and playlists.
    pub mongodb: String,
    /// Redis: signals and counters.
    pub redis: String,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").finish_non_exhaustive()
    }
}

impl Store {
    pub(crate) fn metrics(&self) -> &StoreMetrics {
        self.blobs.metrics()
    }

    /// Opens the store of one machine in the folder `dir` (created when absent): SQLite, files and
    /// in-process signals. Locks the folder, so that two servers never share it, and puts right what a
    /// killed one left: leases are freed, unverified and orphaned bytes are dropped.
    pub async fn embedded(dir: &Path) -> Result<Self> {
        let lock = sql::lock(dir).await?;
        let sql = sql::open(dir, lock).await?;
        search::index_missing(&sql).await?;
        listing::order_titles(&sql).await?;
        let signals = Signals::in_process();
        let blobs = Blobs::in_folder(&dir.join("blobs")).await?;
        let incoming = Incoming::in_folder(&dir.join("incoming")).await?;
        let store = Self::of(&sql, signals, blobs, incoming);
        store.jobs.release_all().await?;
        store.webhooks.release_all().await?;
        // The order matters: an upload must not be finished with bytes whose checksum never came.
        store.uploads.drop_unverified().await?;
        store.uploads.finish_whole().await?;
        store.sweep().await?;
        Ok(store)
    }

    /// Opens the store of a cluster: PostgreSQL, GridFS and Redis, each by its URL.
    ///
    /// Others may be at work in it, so nothing is put right here: leases run out by themselves, and
    /// [`Self::sweep_expired`] takes what has been nobody's for long.
    pub async fn cluster(at: &Cluster) -> Result<Self> {
        let sql = sql::connect(&at.postgres).await?;
        let gridfs = blobs::GridFs::connect(&at.mongodb).await?;
        let incoming = Incoming::Shared(Shared::new(gridfs.clone(), UploadLeases::new(sql.clone())));
        let store = Self::of(&sql, Signals::over_redis(&at.redis)?, gridfs.into(), incoming);
        Ok(Self { counters: Counters::over_redis(&at.redis)?, ..store })
    }

    /// Opens the tables, signals and counters of a cluster without its blobs: sources and segments are nothing to this process,
    /// so that it works on while MongoDB is away.
    pub async fn cluster_without_blobs(postgres: &str, redis: &str) -> Result<Self> {
        let sql = sql::connect(postgres).await?;
        let store = Self::of(&sql, Signals::over_redis(redis)?, Blobs::absent(), Incoming::Absent);
        Ok(Self { counters: Counters::over_redis(redis)?, ..store })
    }

    /// Returns the store as workers of the machine `name` use it; without this it is the host's name. Captions make room for
    /// encoders on the same machine.
    #[must_use]
    pub fn on_machine(self, name: &str) -> Self {
        Self { jobs: self.jobs.on_machine(name), ..self }
    }

    fn of(sql: &sql::Sql, signals: Signals, blobs: Blobs, incoming: Incoming) -> Self {
        Self {
            videos: Videos::new(sql.clone(), signals.clone()),
            uploads: Uploads::new(sql.clone(), signals.clone(), incoming, blobs.clone()),
            renditions: Renditions::new(sql.clone(), signals.clone()),
            captions: Captions::new(sql.clone(), signals.clone()),
            search: Search::new(sql.clone()),
            quotas: Quotas::new(sql.clone()),
            views: Views::new(sql.clone()),
            shares: Shares::new(sql.clone(), signals.clone()),
            grants: Grants::new(sql.clone(), signals.clone()),
            webhooks: Webhooks::new(sql.clone()),
            posters: Posters::new(sql.clone(), signals.clone(), blobs.clone()),
            jobs: Jobs::new(sql.clone(), signals.clone()),
            blobs,
            chunks: Chunks::default(),
            signals,
            counters: Counters::in_process(),
            accounts: Accounts::new(sql),
        }
    }

    /// Deletes a video and all that belongs to it. Returns whether there was one.
    pub async fn delete(&self, id: &VideoId) -> Result<bool> {
        // Rows before blobs: once they are gone nothing can be published any more, and what is left of the
        // blobs after a crash here is an orphan that a sweep finds.
        self.blobs.note_deleted(id).await?;
        let existed = self.videos.delete(id).await?;
        self.uploads.discard_bytes(id).await?;
        self.blobs.delete_all(&id.folder()).await?;
        self.blobs.delete_all(&id.source()).await?;
        Ok(existed)
    }

    /// Has caches drop what changes by other processes take from people, such as `clipcut user disable`, until `shutdown`.
    pub async fn follow_revocations(&self, shutdown: CancellationToken) {
        revocations::follow(self.videos.sql(), &self.signals, shutdown).await;
    }

    /// Changes an account, and has caches drop what it could watch if it loses rights.
    pub async fn change_account(&self, id: &UserId, change: Change) -> Result<Changed> {
        let changed = self.accounts.users.change(id, change).await?;
        revocations::publish_soon(self.videos.sql(), &self.signals).await;
        Ok(changed)
    }

    /// Begins to delete an account, and has caches drop what it could watch.
    pub async fn delete_account(&self, id: &UserId, deletion: Deletion<'_>) -> Result<Changed> {
        let changed = self.accounts.users.delete(id, deletion).await?;
        revocations::publish_soon(self.videos.sql(), &self.signals).await;
        Ok(changed)
    }

    /// Changes a password, and ends all sessions but `kept` with what runs by them.
    pub async fn set_password(&self, id: &UserId, hash: &str, kept: Option<&str>) -> Result<()> {
        self.accounts.users.set_password(id, hash, kept).await?;
        revocations::publish_soon(self.videos.sql(), &self.signals).await;
        Ok(())
    }

    /// Sets a forgotten password by its link, and ends all sessions with what runs by them. Returns whether the link still counted.
    pub async fn reset_password(&self, secret: &str, hash: &str) -> Result<bool> {
        let reset = self.accounts.password_resets.use_up(secret, hash).await?;
        revocations::publish_soon(self.videos.sql(), &self.signals).await;
        Ok(reset)
    }

    /// Ends a session of a person with what runs by it. Returns whether there was one.
    pub async fn end_session(&self, user: &UserId, id: &str) -> Result<bool> {
        let ended = self.accounts.sessions.end(user, id).await?;
        revocations::publish_soon(self.videos.sql(), &self.signals).await;
        Ok(ended)
    }

    /// Removes a token of a person, and ends what runs by it. Returns whether there was one.
    pub async fn remove_token(&self, user: &UserId, id: &str) -> Result<bool> {
        let removed = self.accounts.tokens.remove(user, id).await?;
        revocations::publish_soon(self.videos.sql(), &self.signals).await;
        Ok(removed)
    }

    /// Ends the deletions of accounts that have begun: their videos go, then the accounts themselves.
    pub async fn delete_accounts(&self) -> Result<()> {
        if self.blobs.are_absent() {
            // The processes that have blobs do so at the signal of the deletion, or at their next sweep.
            return Ok(());
        }
        for user in self.accounts.users.deleted().await? {
            for video in self.videos.owned_by(&user).await? {
                self.delete(&video).await?;
            }
            // The row goes last: while it is there, a start after a kill finds what is left.
            self.accounts.users.remove(&user).await?;
        }
        Ok(())
    }

    /// Deletes uploads that were abandoned before `now`, and bytes that belong to no video.
    pub async fn sweep_expired(&self, now: Timestamp) -> Result<u64> {
        let expired = self.uploads.expired(now).await?;
        for id in &expired {
            self.delete(id).await?;
        }
        self.blobs.sweep_unfinished().await?;
        for id in self.blobs.deleted().await? {
            // The row is there where the deletion got no further than its note.
            if self.videos.get(&id).await?.is_none() {
                self.blobs.delete_all(&id.folder()).await?;
            }
            self.blobs.forget_deleted(&id).await?;
        }
        self.jobs.forget_service(now).await?;
        self.uploads.sweep_old().await?;
        self.uploads.measure_old().await?;
        Ok(expired.len() as u64)
    }

    async fn sweep(&self) -> Result<()> {
        for top in ["videos", "sources"] {
            for name in self.blobs.children(top).await? {
                let known = match name.parse::<VideoId>() {
                    Ok(id) => self.videos.get(&id).await?.is_some(),
                    Err(_) => false,
                };
                if !known {
                    tracing::warn!(blob = %format!("{top}/{name}"), "swept an orphan");
                    self.blobs.delete_all(&format!("{top}/{name}")).await?;
                }
            }
        }
        self.uploads.sweep_bytes().await
    }
}
