//! Views: how many people have watched a video, each counted once a day. Who they were is kept as a hash under a key of that
//! day; the next day both are deleted.

use std::{
    fmt::Write,
    sync::{Arc, Mutex, PoisonError},
};

use sha2::{Digest, Sha256};

use crate::{
    Result, Timestamp, VideoId,
    sql::{LockScope, Sql, query},
};

const DAY_MICROS: i64 = 86_400_000_000;

/// The counts of views.
#[derive(Clone, Debug)]
pub struct Views {
    sql: Sql,
    key: Arc<Mutex<Option<Key>>>,
}

/// The key of the marks of one day.
#[derive(Clone)]
struct Key {
    day: i64,
    secret: String,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Key").field("day", &self.day).finish_non_exhaustive()
    }
}

impl Views {
    pub(crate) fn new(sql: Sql) -> Self {
        Self { sql, key: Arc::default() }
    }

    /// Counts a view of a video at the time `now` by `viewer`: any text that this viewer has and no other. Returns whether it
    /// was the first of the day.
    pub async fn count(&self, video: &VideoId, viewer: &str, now: Timestamp) -> Result<bool> {
        let key = self.key(now.0.div_euclid(DAY_MICROS)).await?;
        // New: no other transaction waits for a row of this one before it has taken the video's, its last.
        let mut tx = self.sql.begin(LockScope::New).await?;
        let marked = query(
            "insert into view_marks (day, mark) select $2, $3 from videos where id = $1
             on conflict (day, mark) do nothing",
        )
        .bind(video.as_str())
        .bind(key.day)
        .bind(&key.mark(video, viewer))
        .execute(&mut tx)
        .await?;
        if marked == 0 {
            return Ok(false);
        }
        query("update videos set views = views + 1 where id = $1")
            .bind(video.as_str())
            .execute(&mut tx)
            .await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Returns the key of a day, which all processes share. The first view of a day makes it, and has the days before
    /// forgotten.
    async fn key(&self, day: i64) -> Result<Key> {
        let known = self.key.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(key) = known.filter(|key| key.day == day) {
            return Ok(key);
        }
        let made = query("insert into view_keys (day, secret) values ($1, $2) on conflict (day) do nothing")
            .bind(day)
            .bind(&hexadecimal(&rand::random::<[u8; 32]>()))
            .execute(&self.sql)
            .await?;
        if made > 0 {
            for forget in ["delete from view_marks where day < $1", "delete from view_keys where day < $1"] {
                query(forget).bind(day).execute(&self.sql).await?;
            }
        }
        let secret = query("select secret from view_keys where day = $1").bind(day);
        let key = Key { day, secret: secret.fetch_one(&self.sql).await? };
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.clone());
        Ok(key)
    }
}

impl Key {
    fn mark(&self, video: &VideoId, viewer: &str) -> String {
        // The secret and the id are of fixed lengths, so no two triples make one text. Half of the hash makes no two alike.
        let hash = Sha256::new().chain_update(&self.secret).chain_update(video.as_str()).chain_update(viewer);
        hexadecimal(&hash.finalize()[..16])
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
