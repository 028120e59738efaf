//! Wants: segments that a viewer waits for. A want cuts its segment out of the run that has it, and has it encoded before
//! all that nobody waits for; the few behind it go ahead of the rest. It decays, for the viewer may have gone.

use std::{ops::Range, time::Duration};

use super::{Class, Jobs, Kind};
use crate::{
    Result, Timestamp, VideoId,
    sql::{FromRow, LockScope, Row, Transaction, query},
};

// The wanted one and those that the same viewer asks for next.
const SEGMENTS: u32 = 3;
// Longer than a player that got a 503 takes to ask again.
const KEPT: Duration = Duration::from_secs(20);
// Requests for all of a video would else raise all of it.
const MOST_OF_A_VIDEO: i64 = 8;
// A viewer who goes from place to place leaves runs ahead behind at each.
const MOST_AHEAD: i64 = 2;
// An encoder of this rendition alone that is as near to a segment is sooner there than a new one.
const NEAR: u32 = 1;

/// A segment that a viewer waits for.
#[derive(Clone, Copy, Debug)]
pub struct Want<'a> {
    /// The video.
    pub video: &'a VideoId,
    /// The rendition's name.
    pub rendition: &'a str,
    /// The segment's number.
    pub number: u32,
}

/// A row of a run.
struct Run {
    id: String,
    kind: String,
    track: String,
    first: u32,
    last: u32,
    priority: i64,
    calm: i64,
    turn: i64,
    queued_at: i64,
    attempts: i64,
    trace: Option<String>,
    leased: bool,
}

/// A range of segments, and its place in the queue.
struct Part {
    track: String,
    segments: Range<u32>,
    priority: i64,
    turn: i64,
    wanted_until: Option<i64>,
}

impl Jobs {
    /// Has a segment encoded before all that nobody waits for, the few behind it, and the sound beside them. Returns
    /// whether that changed anything. A run that is about to come to it goes on, and makes room for others no longer.
    pub async fn want(&self, want: &Want<'_>) -> Result<bool> {
        let mut tx = self.sql.begin(LockScope::Video(want.video)).await?;
        decay(&mut tx).await?;
        let raised: i64 = query("select count(*) from jobs where video_id = $1 and priority = $2")
            .bind(want.video.as_str())
            .bind(Class::Wanted.priority())
            .fetch_one(&mut tx)
            .await?;
        let mut changed = false;
        if raised < MOST_OF_A_VIDEO {
            let sound: Option<String> = query(
                "select name from renditions where video_id = $1 and kind = 'audio' order by position limit 1",
            )
            .bind(want.video.as_str())
            .fetch_optional(&mut tx)
            .await?;
            calm_down(&mut tx, want.video).await?;
            changed = raise(&mut tx, want, raised).await?;
            if let Some(sound) = sound.filter(|sound| sound != want.rendition) {
                changed |= raise(&mut tx, &Want { rendition: &sound, ..*want }, raised).await?;
            }
        }
        tx.commit().await?;
        if changed {
            self.signals.notify_workers();
        }
        Ok(changed)
    }
}

/// Lets wants that nobody has repeated fall back to where they were.
async fn decay(tx: &mut Transaction) -> Result<()> {
    let query = query("update jobs set priority = calm, wanted_until = null where wanted_until < $1");
    query.bind(Timestamp::now().0).execute(tx).await.map(drop)
}

/// Lets the runs ahead of a video that are the oldest fall back to where they were.
async fn calm_down(tx: &mut Transaction, video: &VideoId) -> Result<()> {
    query(
        "update jobs set priority = calm, wanted_until = null where id in (
             select id from jobs where video_id = $1 and priority = $2 and lease_owner is null
             order by wanted_until desc, id limit $4 offset $3)",
    )
    .bind(video.as_str())
    .bind(Class::Ahead.priority())
    .bind(MOST_AHEAD)
    // SQLite has no `offset` without a `limit`.
    .bind(i64::from(u32::MAX))
    .execute(tx)
    .await
    .map(drop)
}

/// Raises what is missing of a rendition from a segment on, behind the wants of its video that came before.
async fn raise(tx: &mut Transaction, want: &Want<'_>, before: i64) -> Result<bool> {
    let mut changed = false;
    let (from, to) = (want.number, want.number.saturating_add(SEGMENTS));
    for run in overlapping(tx, want, &(from..to)).await? {
        let last = to.min(run.last);
        let Some(first) = first_missing(tx, want, &(from.max(run.first)..last)).await? else { continue };
        // Where the wanted segment is there, what follows it needs no more haste than what follows any.
        let enough = if first > want.number { Class::Ahead } else { Class::First };
        if run.priority >= enough.priority() {
            keep(tx, &run).await?;
            continue;
        }
        let others: Vec<&str> = run.track.split(' ').filter(|name| *name != want.rendition).collect();
        let near = if others.is_empty() { NEAR } else { 0 };
        let at = first_missing(tx, want, &(run.first..run.last)).await?.unwrap_or(run.last);
        let goes_on = run.leased && first <= at.saturating_add(near);
        // A run of sound is over in a moment, and stands still for nothing; and of pictures nobody waits for those behind yet.
        if run.leased && run.kind == Kind::Audio.as_str() || goes_on && first > want.number {
            keep(tx, &run).await?;
            continue;
        }
        let raised = |segments: Range<u32>, class: Class| Part {
            track: want.rendition.to_owned(),
            segments,
            priority: class.priority(),
            turn: before,
            wanted_until: Some((Timestamp::now() + KEPT).0),
        };
        let calm = |track: String, segments| Part {
            track,
            segments,
            priority: run.calm,
            turn: run.turn,
            wanted_until: None,
        };
        // Sound costs so little that an encoder of its own for each segment would cost more.
        let wanted =
            if run.kind == Kind::Audio.as_str() { last } else { (want.number + 1).clamp(first, last) };
        let from = if goes_on { wanted } else { first };
        cut_off(tx, &run, from).await?;
        if goes_on {
            hasten(tx, &run).await?;
        }
        let parts = [
            raised(from..wanted, Class::Wanted),
            raised(wanted..last, Class::Ahead),
            calm(others.join(" "), from..last),
            calm(run.track.clone(), last..run.last),
        ];
        for part in parts.iter().filter(|part| !part.track.is_empty() && !part.segments.is_empty()) {
            insert(tx, want.video, &run, part).await?;
        }
        changed = true;
    }
    Ok(changed)
}

/// Returns the runs of a rendition that have segments of the range, each locked until the transaction ends.
async fn overlapping(tx: &mut Transaction, want: &Want<'_>, range: &Range<u32>) -> Result<Vec<Run>> {
    // An update that changes nothing locks the rows on both databases.
    let query = query(
        "update jobs set first = first
         where video_id = $1 and kind in ('video', 'audio') and first < $3 and last > $2 returning *",
    );
    let mut runs: Vec<Run> = query
        .bind(want.video.as_str())
        .bind(i64::from(range.start))
        .bind(i64::from(range.end))
        .fetch_all(tx)
        .await?;
    runs.retain(|run| run.track.split(' ').any(|name| name == want.rendition));
    runs.sort_by_key(|run| run.first);
    Ok(runs)
}

async fn first_missing(tx: &mut Transaction, want: &Want<'_>, range: &Range<u32>) -> Result<Option<u32>> {
    let query = query(
        "select number from segments where video_id = $1 and rendition = $2 and number >= $3 and number < $4
         order by number",
    );
    let published: Vec<i64> = query
        .bind(want.video.as_str())
        .bind(want.rendition)
        .bind(i64::from(range.start))
        .bind(i64::from(range.end))
        .fetch_all(tx)
        .await?;
    // Both are in order, so the first that differs is missing.
    let mut published = published.into_iter();
    Ok(range.clone().find(|number| published.next() != Some(i64::from(*number))))
}

/// Goes on wanting a run that is wanted.
async fn keep(tx: &mut Transaction, run: &Run) -> Result<()> {
    let query = query("update jobs set wanted_until = $2 where id = $1 and wanted_until is not null");
    query.bind(&run.id).bind((Timestamp::now() + KEPT).0).execute(tx).await.map(drop)
}

/// Has the encoder of a run make room for others no longer.
async fn hasten(tx: &mut Transaction, run: &Run) -> Result<()> {
    query("update jobs set priority = $2, wanted_until = $3 where id = $1")
        .bind(&run.id)
        .bind(Class::Wanted.priority())
        .bind((Timestamp::now() + KEPT).0)
        .execute(tx)
        .await
        .map(drop)
}

/// Ends a run before a segment; its worker reads the new end after its next segment.
async fn cut_off(tx: &mut Transaction, run: &Run, before: u32) -> Result<()> {
    if before > run.first {
        let query = query("update jobs set last = $2 where id = $1");
        query.bind(&run.id).bind(i64::from(before)).execute(tx).await?;
    } else {
        query("delete from jobs where id = $1").bind(&run.id).execute(tx).await?;
    }
    Ok(())
}

async fn insert(tx: &mut Transaction, video: &VideoId, run: &Run, part: &Part) -> Result<()> {
    query(
        "insert into jobs (id, video_id, kind, track, first, last, priority, calm, turn, wanted_until, queued_at, attempts, trace)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(VideoId::random().as_str())
    .bind(video.as_str())
    .bind(&run.kind)
    .bind(&part.track)
    .bind(i64::from(part.segments.start))
    .bind(i64::from(part.segments.end))
    .bind(part.priority)
    .bind(run.calm)
    .bind(part.turn)
    .bind(part.wanted_until)
    .bind(run.queued_at)
    // The segment that killed workers is still in one of the parts.
    .bind(if run.leased { 0 } else { run.attempts })
    .bind(&run.trace)
    .execute(tx)
    .await
    .map(drop)
}

impl FromRow for Run {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let number = |column| row.try_get::<i64, _>(column);
        let until: Option<i64> = row.try_get("lease_until")?;
        Ok(Self {
            id: row.try_get("id")?,
            kind: row.try_get("kind")?,
            track: row.try_get("track")?,
            first: number("first")? as u32,
            last: number("last")? as u32,
            priority: number("priority")?,
            calm: number("calm")?,
            turn: number("turn")?,
            queued_at: number("queued_at")?,
            attempts: number("attempts")?,
            trace: row.try_get("trace")?,
            leased: until.is_some_and(|until| until >= Timestamp::now().0),
        })
    }
}
