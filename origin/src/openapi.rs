//! The part of the API's document that an origin answers. Each operation stands at its handler; those of tus and of playback,
//! which have one handler for many, in files of their own. Leaves who may use them to the table of access.

mod playback;
pub(crate) mod tus;

use http::StatusCode;
use server::openapi;
use utoipa::OpenApi;

use crate::{
    captions, captions::cues, events, health, ingest, jobs, library, listing, poster, search, views,
};

#[derive(OpenApi)]
#[openapi(
    paths(
        health::live,
        health::ready,
        listing::list,
        ingest::create,
        library::show,
        library::edit,
        library::delete,
        library::retry,
        library::cancel,
        events::of_one,
        events::of_all,
        views::count,
        poster::show,
        poster::choose,
        poster::reset,
        search::find,
        jobs::list,
        captions::list,
        captions::add,
        captions::ask,
        captions::show,
        captions::rename,
        captions::replace,
        captions::delete,
        captions::ask_again,
        cues::list,
        cues::add,
        cues::edit,
        cues::delete,
        tus::create,
        tus::offset,
        tus::append,
        tus::terminate,
        tus::overridden,
    ),
    components(schemas(tus::Version, tus::Override))
)]
struct Api;

/// Returns the operations of an origin, with their schemas.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut api = Api::openapi();
    openapi::refuse_documents(
        &mut api,
        &[
            (StatusCode::BAD_REQUEST, "`body_broken`"),
            (StatusCode::REQUEST_TIMEOUT, "`body_stalled`"),
            (StatusCode::PAYLOAD_TOO_LARGE, "`body_too_large`"),
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "`unsupported_media_type`"),
        ],
    );
    playback::add(&mut api.paths);
    api
}
