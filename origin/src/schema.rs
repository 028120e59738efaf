//! Schemas of the words that the API uses for states and kinds, each from the type that has them.

use server::schema::words;
use store::{
    CaptionOrigin, CaptionState, JobKind, Place, PosterKind, QueueState, RenditionKind, Sort, State,
    Visibility,
};
use utoipa::openapi::Object;

use crate::poster;

pub(crate) fn states() -> Object {
    words(State::ALL.map(State::as_str))
}

pub(crate) fn sorts() -> Object {
    words(Sort::ALL.map(Sort::as_str))
}

pub(crate) fn visibilities() -> Object {
    words(Visibility::ALL.map(Visibility::as_str))
}

pub(crate) fn rendition_kinds() -> Object {
    words(RenditionKind::ALL.map(RenditionKind::as_str))
}

pub(crate) fn caption_origins() -> Object {
    words(CaptionOrigin::ALL.map(CaptionOrigin::as_str))
}

pub(crate) fn caption_states() -> Object {
    words(CaptionState::ALL.map(CaptionState::as_str))
}

pub(crate) fn places() -> Object {
    words(Place::ALL.map(Place::as_str))
}

pub(crate) fn job_kinds() -> Object {
    words(JobKind::ALL.map(JobKind::as_str))
}

pub(crate) fn queue_states() -> Object {
    words(QueueState::ALL.map(QueueState::as_str))
}

pub(crate) fn poster_kinds() -> Object {
    words(PosterKind::WORDS)
}

pub(crate) fn poster_states() -> Object {
    words(poster::STATES)
}

/// The one person whom a list can be narrowed to.
pub(crate) fn me() -> Object {
    words(["me"])
}
