//! New jobs, put into the queue by the transaction that brings their reason.

use traces::TraceContext;

use super::{Class, Kind, NewJob};
use crate::{
    Result, Timestamp, VideoId,
    sql::{Transaction, query},
};

pub(crate) async fn insert_prepare(tx: &mut Transaction, id: &VideoId) -> Result<()> {
    // Before all encoding, so that a new video's playlists stand within seconds.
    let job =
        NewJob { kind: Kind::Prepare, track: String::new(), segments: 0..0, class: Class::Plan, turn: 0 };
    insert_job(tx, id, &job, Timestamp::now()).await
}

/// Has the playlists of a planned video written again. Those that are being written are written once more, for
/// their input has changed; before the plan there are none, and the plan writes the first.
pub(crate) async fn insert_playlists(tx: &mut Transaction, video: &VideoId) -> Result<()> {
    query(
        // `Class::Playlists`: above hours of encoding, for which a new caption track would wait, and below a new plan.
        "insert into jobs (id, video_id, kind, priority, queued_at, trace)
         select $1, v.id, 'playlists', 50, $3, $4 from videos v
         where v.id = $2 and v.state in ('planned', 'playable', 'ready')
         on conflict (video_id, kind, track, first) do update
         set not_before = 0, again = true",
    )
    .bind(VideoId::random().as_str())
    .bind(video.as_str())
    .bind(Timestamp::now().0)
    .bind(trace().as_deref())
    .execute(tx)
    .await?;
    Ok(())
}

/// Has the poster of a video made that its owner has chosen. One that is being made is made once more, for the choice has
/// changed.
pub(crate) async fn insert_poster(tx: &mut Transaction, video: &VideoId, now: Timestamp) -> Result<()> {
    query(
        "insert into jobs (id, video_id, kind, priority, calm, queued_at, trace) values ($1, $2, 'poster', $3, $3, $4, $5)
         on conflict (video_id, kind, track, first) do update
         set not_before = 0, again = true, priority = excluded.priority, calm = excluded.calm",
    )
    .bind(VideoId::random().as_str())
    .bind(video.as_str())
    .bind(Class::Asked.priority())
    .bind(now.0)
    .bind(trace().as_deref())
    .execute(tx)
    .await?;
    Ok(())
}

pub(crate) async fn insert_job(
    tx: &mut Transaction,
    video: &VideoId,
    job: &NewJob,
    now: Timestamp,
) -> Result<()> {
    query(
        // A track that was asked for while its video had failed has its job already; the retry's plan meets it here.
        "insert into jobs (id, video_id, kind, track, first, last, priority, calm, turn, queued_at, trace)
         values ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9, $10) on conflict (video_id, kind, track, first) do nothing",
    )
    .bind(VideoId::random().as_str())
    .bind(video.as_str())
    .bind(job.kind.as_str())
    .bind(&job.track)
    .bind(i64::from(job.segments.start))
    .bind(i64::from(job.segments.end))
    .bind(job.class.priority())
    .bind(job.turn)
    .bind(now.0)
    .bind(trace().as_deref())
    .execute(tx)
    .await?;
    Ok(())
}

/// Returns where the job comes from: the request or the job that queues it.
fn trace() -> Option<String> {
    TraceContext::current().map(|place| place.as_str().to_owned())
}
