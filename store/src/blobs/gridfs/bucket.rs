//! One bucket's collections: every command that goes to MongoDB, each with a bound on its time.

use std::{collections::HashSet, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use mongodb::{
    Collection, Database, IndexModel,
    bson::{Bson, DateTime, Document, RawDocumentBuf, doc, oid::ObjectId},
    error::{ErrorKind, WriteFailure},
    options::{IndexOptions, ReadPreference, SelectionCriteria},
};
use prometheus_client::metrics::counter::Counter;

use super::document::{Chunk, File, NewChunk, Note, ago, binary, sha256_of};
use crate::{Error, Result, VideoId};

// The driver waits for ever on a server that took the question and does not answer.
const PATIENCE: Duration = Duration::from_secs(10);
// A few hundred kilobytes in one batch: far below the 16 MiB that an answer of MongoDB's may have.
pub(super) const NAMES_AT_ONCE: usize = 4000;
// The driver opens ten connections to a server (`max_pool_size`); a deletion leaves two for viewers.
pub(super) const AT_ONCE: usize = 8;
// https://www.mongodb.com/docs/manual/reference/error-codes/
const DUPLICATE_KEY: i32 = 11000;
// As long as somebody may still be reading what was replaced.
const REPLACED_STAYS: Duration = Duration::from_mins(10);

/// One bucket.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    files: Collection<File>,
    pub(super) chunks: Collection<RawDocumentBuf>,
    notes: Collection<Note>,
    pub(super) chunk_bytes: usize,
    damages: Counter,
}

impl Bucket {
    pub(super) fn new(database: &Database, name: &str, chunk_bytes: usize, damages: Counter) -> Self {
        Self {
            files: database.collection(&format!("{name}.files")),
            chunks: database.collection(&format!("{name}.chunks")),
            notes: database.collection(&format!("{name}.notes")),
            chunk_bytes,
            damages,
        }
    }

    /// Counts that the bytes of `key` are not those that were written. Returns the error for it.
    pub(super) fn damaged(&self, key: &str, problem: &str) -> Error {
        self.damages.inc();
        Error::Damaged { key: key.to_owned(), problem: problem.to_owned() }
    }

    pub(super) async fn make_indexes(&self) -> Result<()> {
        let unique = |keys: Document| {
            IndexModel::builder().keys(keys).options(IndexOptions::builder().unique(true).build()).build()
        };
        // The GridFS specification indexes `filename, uploadDate`; revisions are unique where dates of two servers are not.
        let names = unique(doc! { "filename": 1, "metadata.revision": 1 });
        answered(self.files.create_index(names)).await?;
        // The specification's own index; being unique, it also refuses a second writer's chunk of the same number.
        answered(self.chunks.create_index(unique(doc! { "files_id": 1, "n": 1 }))).await?;
        Ok(())
    }

    /// Asks the server that takes writes for nothing.
    pub(super) async fn ping(&self) -> Result<()> {
        answered(self.files.client().database("admin").run_command(doc! { "ping": 1 })).await.map(drop)
    }

    /// Notes that bytes of `id` are about to be written or deleted.
    pub(super) async fn note(&self, id: &Bson) -> Result<()> {
        // A note that is there gets the new time: by the old one, a sweep would take a living writer for dead.
        let update = doc! { "$set": { "at": DateTime::now() } };
        answered(self.notes.update_one(doc! { "_id": id }, update).upsert(true)).await?;
        Ok(())
    }

    /// Takes the note back: all that there is of `id` is as it should be.
    pub(super) async fn forget(&self, id: &Bson) -> Result<()> {
        answered(self.notes.delete_one(doc! { "_id": id })).await?;
        Ok(())
    }

    /// Returns what was noted longer than `age` ago.
    pub(super) async fn noted(&self, age: Duration) -> Result<Vec<Bson>> {
        let notes =
            answered(self.notes.find(doc! { "at": { "$lt": ago(age) } }).limit(NAMES_AT_ONCE as i64)).await?;
        let notes: Vec<Note> = answered(notes.try_collect()).await?;
        Ok(notes.into_iter().map(|note| note.id).collect())
    }

    /// Returns the videos among what was noted longer than `age` ago.
    pub(super) async fn noted_videos(&self, age: Duration) -> Result<Vec<VideoId>> {
        let noted = self.noted(age).await?;
        Ok(noted.iter().filter_map(|id| id.as_str()?.parse().ok()).collect())
    }

    /// Writes chunk `n` of `id`. Returns the digest of its bytes.
    pub(super) async fn write_chunk(&self, id: &Bson, n: i32, bytes: &[u8]) -> Result<[u8; 32]> {
        let bytes = Bytes::copy_from_slice(bytes);
        let sha256 = sha256_of(bytes.clone()).await?;
        let chunk = NewChunk {
            id: ObjectId::new(),
            files_id: id.clone(),
            n,
            data: binary(bytes),
            sha256: binary(sha256),
        };
        answered(self.chunks.clone_with_type::<NewChunk>().insert_one(chunk)).await?;
        Ok(sha256)
    }

    /// Makes a blob visible whose chunks are all there. Returns whether its name and revision were free.
    pub(super) async fn show(&self, file: &File) -> Result<bool> {
        free(answered(self.files.insert_one(file)).await)
    }

    /// Returns the blob that a name stands for.
    pub(super) async fn newest(&self, key: &str) -> Result<Option<File>> {
        let find = || self.files.find_one(doc! { "filename": key }).sort(doc! { "metadata.revision": -1 });
        let found = answered(find()).await?;
        if found.is_some() || !self.reads_behind() {
            return Ok(found);
        }
        // A member that lags does not have it yet, and a published blob must be found at once.
        answered(find().selection_criteria(SelectionCriteria::ReadPreference(ReadPreference::Primary))).await
    }

    /// Returns those of `keys` that stand for a blob.
    pub(super) async fn existing(&self, keys: &[String]) -> Result<HashSet<String>> {
        // By the index of names alone; a blob may have several revisions.
        let find = || self.files.distinct("filename", doc! { "filename": { "$in": keys } });
        let mut found = answered(find()).await?;
        if found.len() < keys.len() && self.reads_behind() {
            let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
            found = answered(find().selection_criteria(primary)).await?;
        }
        Ok(found.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
    }

    /// Returns a chunk that is what was written. `None` where it is not there.
    pub(super) async fn chunk(&self, file: &File, n: i32) -> Result<Option<Chunk>> {
        // One by one and by equality: each is found by the index alone, and none is fetched that nobody wants.
        let find = || self.chunks.find_one(doc! { "files_id": &file.id, "n": n });
        let mut found = answered(find()).await?;
        if found.is_none() && self.reads_behind() {
            let primary = SelectionCriteria::ReadPreference(ReadPreference::Primary);
            found = answered(find().selection_criteria(primary)).await?;
        }
        let Some(document) = found else { return Ok(None) };
        let checked = Chunk::check(document).await?;
        checked
            .map(Some)
            .ok_or_else(|| self.damaged(&file.filename, &format!("chunk {n} is not what was written")))
    }

    /// Returns names from `from` on that come before `end`, in their order; not all of them.
    pub(super) async fn names(&self, from: &str, end: &str) -> Result<Vec<String>> {
        let filter = doc! { "filename": { "$gte": from, "$lt": end } };
        let files = self.files.clone_with_type::<Document>();
        let find = files.find(filter).sort(doc! { "filename": 1 }).limit(NAMES_AT_ONCE as i64);
        // The index has all that is asked, so no document is read.
        let found = answered(find.projection(doc! { "_id": 0, "filename": 1 })).await?;
        let found: Vec<Document> = answered(found.try_collect()).await?;
        Ok(found.iter().filter_map(|file| Some(file.get_str("filename").ok()?.to_owned())).collect())
    }

    /// Returns past revisions of a name that nobody can be reading any more.
    pub(super) async fn replaced(&self, key: &str) -> Result<Vec<Bson>> {
        let find = self.files.find(doc! { "filename": key }).sort(doc! { "metadata.revision": -1 });
        let found = answered(find).await?;
        let revisions: Vec<File> = answered(found.try_collect()).await?;
        let long_ago = ago(REPLACED_STAYS);
        // Each was replaced when the one after it came.
        let pairs = revisions.iter().zip(revisions.iter().skip(1));
        Ok(pairs.filter(|(after, _)| after.upload_date < long_ago).map(|(_, file)| file.id.clone()).collect())
    }

    /// Deletes all revisions of a name.
    pub(super) async fn delete_named(&self, key: &str) -> Result<()> {
        self.delete_found(doc! { "filename": key }).await
    }

    /// Deletes all blobs below `folder`.
    pub(super) async fn delete_below(&self, folder: &str) -> Result<()> {
        self.delete_found(doc! { "filename": { "$gte": format!("{folder}/"), "$lt": after(folder) } }).await
    }

    /// Deletes one blob: its document first, then what nobody can see any more.
    pub(super) async fn delete(&self, id: &Bson) -> Result<()> {
        self.note(id).await?;
        answered(self.files.delete_one(doc! { "_id": id })).await?;
        self.drop_bytes(id).await
    }

    /// Deletes the chunks of something that is not visible.
    pub(super) async fn drop_bytes(&self, id: &Bson) -> Result<()> {
        self.drop_chunks(id).await?;
        self.forget(id).await
    }

    pub(super) async fn drop_chunks(&self, id: &Bson) -> Result<()> {
        answered(self.chunks.delete_many(doc! { "files_id": id })).await?;
        Ok(())
    }

    /// Returns whether a blob with this id is visible.
    pub(super) async fn is_visible(&self, id: &Bson) -> Result<bool> {
        Ok(answered(self.files.find_one(doc! { "_id": id })).await?.is_some())
    }

    async fn delete_found(&self, filter: Document) -> Result<()> {
        // Blobs that are published while this runs are found by the next round.
        loop {
            let files = self.files.clone_with_type::<Document>();
            let find = files.find(filter.clone()).limit(NAMES_AT_ONCE as i64).projection(doc! { "_id": 1 });
            let found: Vec<Document> = answered(answered(find).await?.try_collect()).await?;
            let ids: Vec<Bson> = found.into_iter().filter_map(|mut file| file.remove("_id")).collect();
            if ids.is_empty() {
                return Ok(());
            }
            stream::iter(ids)
                .map(Ok)
                .try_for_each_concurrent(AT_ONCE, |id| async move { self.delete(&id).await })
                .await?;
        }
    }

    fn reads_behind(&self) -> bool {
        match self.files.selection_criteria() {
            Some(SelectionCriteria::ReadPreference(preference)) => *preference != ReadPreference::Primary,
            Some(_) => true,
            None => false,
        }
    }
}

/// Waits for an answer, but not for ever.
pub(super) async fn answered<T>(question: impl IntoFuture<Output = mongodb::error::Result<T>>) -> Result<T> {
    let answer = tokio::time::timeout(PATIENCE, question.into_future()).await;
    let late = |_| Error::Unavailable {
        what: "MongoDB",
        cause: format!("no answer within {} s", PATIENCE.as_secs()),
    };
    Ok(answer.map_err(late)??)
}

/// Returns whether a document was inserted; a duplicate key is no error.
pub(super) fn free<T>(inserted: Result<T>) -> Result<bool> {
    match inserted {
        Ok(_) => Ok(true),
        Err(Error::Mongodb(e)) if is_duplicate(&e) => Ok(false),
        Err(e) => Err(e),
    }
}

fn is_duplicate(error: &mongodb::error::Error) -> bool {
    match &*error.kind {
        ErrorKind::Write(WriteFailure::WriteError(e)) => e.code == DUPLICATE_KEY,
        ErrorKind::Command(e) => e.code == DUPLICATE_KEY,
        _ => false,
    }
}

/// Returns the first text behind all that begin with `path` and a slash.
pub(super) fn after(path: &str) -> String {
    // The character that follows the slash.
    format!("{path}0")
}
