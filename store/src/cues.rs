//! The cues of caption tracks as rows: read whole or by time, written by people all at once or one at a time.

use crate::{
    CaptionId, CaptionTrack, Captions, Cue, Result, Timestamp, VideoId,
    captions::rows::{
        Marked, append, check_revision, clear, drop_job, free_name, has_video, mark_edited, parsed,
    },
    jobs::insert_playlists,
    search::{Spoken, index_cue},
    sql::{FromRow, LockScope, Row, query},
};

/// A cue and its name within the track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCue {
    /// From 1; stays the cue's own while others come and go.
    pub number: u32,
    /// The cue.
    pub cue: Cue,
}

/// A person's change of a cue; `None` leaves a part as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CueEdit {
    /// From the video's start.
    pub start_ms: Option<u64>,
    /// Behind the start.
    pub end_ms: Option<u64>,
    /// The new text.
    pub text: Option<String>,
    /// The revision of the track that the person has seen: a later one is not written over.
    pub seen: Option<u64>,
}

/// All cues of a track, from a person.
#[derive(Clone, Copy, Debug)]
pub struct Replacement<'a> {
    /// The cues in place of those that it has.
    pub cues: &'a [Cue],
    /// The revision of the track that the person has seen: a later one is not written over.
    pub seen: Option<u64>,
}

/// The outcome of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Edited {
    /// It is done.
    Cue {
        /// The cue as it is now.
        cue: StoredCue,
        /// The track's revision now.
        revision: u64,
    },
    /// It would end before it starts; nothing was changed.
    Backwards,
    /// There is no such cue.
    Absent,
}

/// A track that a person brings.
#[derive(Clone, Debug)]
pub struct NewTrack<'a> {
    /// BCP 47.
    pub language: &'a str,
    /// A menu's label; `None` goes by the language.
    pub label: Option<&'a str>,
    /// All cues.
    pub cues: &'a [Cue],
}

impl Captions {
    /// Adds a track that a person brings. Returns it, or `None` when there is no such video.
    pub async fn add(&self, video: &VideoId, new: &NewTrack<'_>) -> Result<Option<CaptionTrack>> {
        let mut tx = self.sql.begin(LockScope::Video(video)).await?;
        if !has_video(&mut tx, video).await? {
            return Ok(None);
        }
        let id = CaptionId::random();
        let name = free_name(&mut tx, video, new.language).await?;
        query(
            "insert into captions (id, video_id, name, origin, state, language, label, created_at)
             values ($1, $2, $3, 'person', 'done', $4, $5, $6)",
        )
        .bind(id.as_str())
        .bind(video.as_str())
        .bind(&name)
        .bind(new.language)
        .bind(new.label)
        .bind(Timestamp::now().0)
        .execute(&mut tx)
        .await?;
        append(&mut tx, &id, new.cues).await?;
        insert_playlists(&mut tx, video).await?;
        tx.commit().await?;
        self.publish_changed(video);
        self.get(&id).await
    }

    /// Replaces all cues of a track by a person's; a machine that still writes it is stopped. Returns the
    /// track, or `None` when there is none or its language is not known yet; [`crate::Error::Edited`] when somebody has edited it
    /// since the revision that was seen.
    pub async fn replace(&self, id: &CaptionId, new: Replacement<'_>) -> Result<Option<CaptionTrack>> {
        let mut tx = self.sql.begin(LockScope::Captions(id)).await?;
        check_revision(&mut tx, id, new.seen).await?;
        let video: Option<String> = query(
            "update captions set origin = 'person', state = 'done', message = null, provenance = null,
                 checkpoint = null, ends_at_seconds = null, edited = false, revision = revision + 1
             where id = $1 and name is not null returning video_id",
        )
        .bind(id.as_str())
        .fetch_optional(&mut tx)
        .await?;
        let Some(video) = parsed(video)? else { return Ok(None) };
        drop_job(&mut tx, id).await?;
        clear(&mut tx, id).await?;
        append(&mut tx, id, new.cues).await?;
        insert_playlists(&mut tx, &video).await?;
        tx.commit().await?;
        self.publish_changed(&video);
        self.get(id).await
    }

    /// Returns all cues of a track in the order in which they are shown.
    pub async fn cues(&self, id: &CaptionId) -> Result<Vec<StoredCue>> {
        // W3C WebVTT, cue timings: a cue starts no earlier than all cues before it in the file.
        let query = query("select * from cues where captions_id = $1 order by start_ms, number");
        query.bind(id.as_str()).fetch_all(&self.sql).await
    }

    /// Returns the cues that are shown at some time of `[start_ms, end_ms)`.
    pub async fn cues_between(&self, id: &CaptionId, start_ms: u64, end_ms: u64) -> Result<Vec<StoredCue>> {
        // RFC 8216 §3.5: a cue that reaches over a border is in both segments, for a player may start at either.
        let query = query(
            "select * from cues where captions_id = $1 and start_ms < $3 and end_ms > $2
             order by start_ms, number",
        );
        let query = query.bind(id.as_str()).bind(start_ms as i64).bind(end_ms as i64);
        query.fetch_all(&self.sql).await
    }

    /// Adds a cue by hand. Returns it, or `None` when there is no such track.
    pub async fn add_cue(&self, id: &CaptionId, cue: &Cue) -> Result<Option<StoredCue>> {
        let mut tx = self.sql.begin(LockScope::Captions(id)).await?;
        let Some(Marked { video, .. }) = mark_edited(&mut tx, id).await? else { return Ok(None) };
        let number = append(&mut tx, id, std::slice::from_ref(cue)).await?;
        // The first cue of an empty track is what makes it listed.
        insert_playlists(&mut tx, &video).await?;
        tx.commit().await?;
        self.publish_changed(&video);
        Ok(Some(StoredCue { number, cue: cue.clone() }))
    }

    /// Changes a cue by hand. [`crate::Error::Edited`] when somebody has edited the track since the revision that was seen.
    pub async fn edit_cue(&self, id: &CaptionId, number: u32, edit: &CueEdit) -> Result<Edited> {
        let mut tx = self.sql.begin(LockScope::Captions(id)).await?;
        // Read within the transaction: a start from one edit and an end from another could be out of order together.
        let stored = query("select * from cues where captions_id = $1 and number = $2");
        let stored: Option<StoredCue> =
            stored.bind(id.as_str()).bind(i64::from(number)).fetch_optional(&mut tx).await?;
        let Some(StoredCue { mut cue, .. }) = stored else { return Ok(Edited::Absent) };
        check_revision(&mut tx, id, edit.seen).await?;
        cue.start_ms = edit.start_ms.unwrap_or(cue.start_ms);
        cue.end_ms = edit.end_ms.unwrap_or(cue.end_ms);
        if cue.end_ms <= cue.start_ms {
            return Ok(Edited::Backwards);
        }
        if let Some(text) = &edit.text {
            cue.text.clone_from(text);
            // Styles count characters of the text that was.
            cue.styles.clear();
        }
        query(
            "update cues set start_ms = $3, end_ms = $4, text = $5, styles = $6
             where captions_id = $1 and number = $2",
        )
        .bind(id.as_str())
        .bind(i64::from(number))
        .bind(cue.start_ms as i64)
        .bind(cue.end_ms as i64)
        .bind(&cue.text)
        .bind(&cue.styles)
        .execute(&mut tx)
        .await?;
        index_cue(&mut tx, &Spoken { captions: id, number: i64::from(number), text: &cue.text }).await?;
        // The cue refers to its track.
        let Some(marked) = mark_edited(&mut tx, id).await? else { return Ok(Edited::Absent) };
        tx.commit().await?;
        self.publish_changed(&marked.video);
        Ok(Edited::Cue { cue: StoredCue { number, cue }, revision: marked.revision })
    }

    /// Deletes a cue by hand. Returns whether there was one.
    pub async fn delete_cue(&self, id: &CaptionId, number: u32) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Captions(id)).await?;
        let query = query("delete from cues where captions_id = $1 and number = $2");
        let query = query.bind(id.as_str()).bind(i64::from(number));
        if query.execute(&mut tx).await? == 0 {
            return Ok(false);
        }
        let Some(Marked { video, .. }) = mark_edited(&mut tx, id).await? else { return Ok(false) };
        // Without its last cue a track is listed no more.
        insert_playlists(&mut tx, &video).await?;
        tx.commit().await?;
        self.publish_changed(&video);
        Ok(true)
    }
}

impl FromRow for StoredCue {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let number = |column| row.try_get::<i64, _>(column);
        Ok(Self {
            number: number("number")? as u32,
            cue: Cue {
                start_ms: number("start_ms")? as u64,
                end_ms: number("end_ms")? as u64,
                settings: row.try_get("settings")?,
                text: row.try_get("text")?,
                styles: row.try_get("styles")?,
            },
        })
    }
}
