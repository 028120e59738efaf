//! The outbox: a delivery for every webhook that an event is for, written by the transaction that makes the event true. So a
//! kill loses neither, and none is sent of what was rolled back.

use super::Event;
use crate::{
    CaptionId, Timestamp, VideoId, id,
    sql::{Query, query},
};

// Uploads that were abandoned have made no event so far, and their end makes none.
//
// A video of an account that is being deleted is nobody's own any more: its person's webhooks went at once.
const NOTE: &str = "
    insert into deliveries (id, webhook_id, event, video_id, title, error_code, error_message, track, language,
                            occurred_at, state, not_before)
    select $1 || h.id, h.id, $2, v.id, v.title, v.error_code, v.error_message, c.id, c.language, $3, 'waiting', $3
    from videos v
    join webhooks h on h.active and (h.videos = 'all' or h.user_id = v.owner_id)
    join users u on u.id = h.user_id
    left join captions c on c.id = $5
    where v.id = $4 and v.state <> 'uploading' and h.events like '% ' || $2 || ' %'
      and not u.disabled and u.deleted_at is null and (h.videos = 'own' or u.role = 'administrator')";

/// Returns the statement that notes what happened to a video, whose row has the state that it made.
pub(crate) fn note(event: Event, video: &VideoId) -> Query {
    statement(event, video, None)
}

/// Returns the statement that notes what happened to a caption track.
pub(crate) fn note_captions(video: &VideoId, track: &CaptionId) -> Query {
    statement(Event::CaptionsReady, video, Some(track.as_str()))
}

fn statement(event: Event, video: &VideoId, track: Option<&str>) -> Query {
    query(NOTE)
        // Of one event, each webhook has a delivery of its own.
        .bind(&format!("{}-", id::random()))
        .bind(event.as_str())
        .bind(Timestamp::now().0)
        .bind(video.as_str())
        .bind(track)
}
