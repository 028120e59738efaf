//! The operations of playback: one for each kind of file below `/v/{id}/`, with the media type that the path's own meaning has.

use server::ticket;
use utoipa::openapi::{
    Content, HttpMethod, ObjectBuilder, Paths, Required, Response, ResponseBuilder, Type,
    path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
    schema::{Object, SchemaType},
    server::{Server, ServerBuilder, ServerVariableBuilder},
};

use crate::Path;

/// The files, each by its path below the video, with a name and a sentence.
const FILES: [(&str, &str, &str); 15] = [
    ("master.m3u8", "getMultivariantPlaylist", "The multivariant playlist of HLS."),
    (
        "ladder.m3u8",
        "getLadder",
        "The same of all that is planned, for players that know by `listed` what they can live on.",
    ),
    ("manifest.mpd", "getManifest", "The MPD of DASH."),
    ("poster.jpg", "getPoster", "The picture that stands for the video."),
    ("poster-640.jpg", "getSmallPoster", "The same, at most 640 pixels wide."),
    ("{rendition}/media.m3u8", "getMediaPlaylist", "The HLS playlist of a rendition."),
    ("{rendition}/iframes.m3u8", "getKeyFramePlaylist", "The HLS playlist of a rendition's key frames."),
    ("{rendition}/init.mp4", "getInitSegment", "What a decoder needs before the first segment."),
    (
        "{rendition}/{number}.m4s",
        "getSegment",
        "A segment of pictures or sound, waited for while it is encoded.",
    ),
    ("captions/{language}/media.m3u8", "getCaptionPlaylist", "The HLS playlist of captions."),
    ("captions/{language}/{number}.vtt", "getCaptionSegment", "A segment of captions."),
    ("captions/{language}.vtt", "getWebVtt", "All captions of a language as WebVTT."),
    ("captions/{language}.srt", "getSubRip", "All captions of a language as SubRip."),
    ("captions/{language}.txt", "getTranscript", "All words of a language."),
    ("captions/{language}.json", "getCaptionJson", "All captions of a language, with the times of words."),
];

/// The answers besides those with the file.
const REFUSALS: [(&str, &str); 7] = [
    ("403", "`ticket_expired`, `ticket_wrong_video`, `ticket_bad_signature`"),
    ("404", "`unknown_video`, `unknown_file`, `unknown_segment`, `unknown_captions`"),
    ("410", "`video_failed`"),
    ("412", "`precondition_failed`"),
    ("416", "`range_not_satisfiable`"),
    ("502", "`origin_unreachable`: of an edge"),
    ("504", "`origin_timeout`, `not_stored`: of an edge"),
];

/// Adds the operations to `paths`.
pub(super) fn add(paths: &mut Paths) {
    for (tail, name, summary) in FILES {
        let path = format!("/v/{{id}}/{tail}");
        paths.add_path_operation(&path, vec![HttpMethod::Get], operation(&path, name, summary));
    }
}

fn operation(path: &str, name: &str, summary: &str) -> Operation {
    let whole = answer(path, "The file");
    let part = answer(path, "The part of it that `Range` asks for");
    let operation = OperationBuilder::new()
        .tag("playback")
        .operation_id(Some(name))
        .summary(Some(summary))
        .parameters(Some(names(path)))
        .servers(Some(servers()))
        .response("200", whole)
        .response("206", part)
        .response("304", Response::new("What the client has is as it is here"))
        .response(
            "503",
            Response::new("`segment_not_encoded_yet`, `video_not_prepared_yet`, `captions_not_written_yet`"),
        );
    let refused = |operation: OperationBuilder, (status, codes): (&str, &str)| {
        operation.response(status, Response::new(codes))
    };
    REFUSALS.into_iter().fold(operation, refused).build()
}

fn answer(path: &str, description: &str) -> Response {
    let answer = ResponseBuilder::new().description(description);
    let with = |answer: ResponseBuilder, kind| answer.content(kind, Content::new(Some(bytes())));
    media_types(path).into_iter().fold(answer, with).build()
}

/// Returns the media types of the files that a path stands for: those of pictures, and those of sound.
fn media_types(path: &str) -> Vec<&'static str> {
    let types = ["720p", "audio"].map(|rendition| {
        let file = path
            .replace("{id}", "0123456789abcdef")
            .replace("{rendition}", rendition)
            .replace("{language}", "en")
            .replace("{number}", "0");
        let kind = Path::decode(&file).expect("every file of the table has a URL").file.content_type();
        // Of a type with a charset the document has the type alone.
        kind.split(';').next().unwrap_or(kind)
    });
    let mut types = types.to_vec();
    types.dedup();
    types
}

fn names(path: &str) -> Vec<Parameter> {
    let names = path.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name);
    names.map(parameter).collect()
}

fn parameter(name: &str) -> Parameter {
    let (description, schema): (_, Object) = match name {
        "id" => ("The video", server::schema::id()),
        "rendition" => ("Its name, such as `720p` or `audio`", text("^[A-Za-z0-9_-]{1,64}$")),
        "language" => ("The `name` of the captions: a BCP 47 tag", text("^[A-Za-z0-9_-]{1,64}$")),
        _ => ("From 0", ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).build()),
    };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

fn text(pattern: &str) -> Object {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern)).build()
}

fn bytes() -> Object {
    // OpenAPI 3.1: bytes that are no JSON have a schema without a type.
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).build()
}

/// Returns where the files are: with the ticket in the path, and without where none is needed.
fn servers() -> Vec<Server> {
    let ticket = ServerVariableBuilder::new()
        .default_value("TICKET")
        .description(Some(format!(
            "A ticket, as the `playback` of the video's document has it. An edge shows it to its origin as `{}`.",
            ticket::SHOWN
        )))
        .build();
    vec![
        ServerBuilder::new().url("/").build(),
        ServerBuilder::new().url("/t/{ticket}").parameter("ticket", ticket).build(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::path::Format;

    #[test]
    fn every_caption_format_is_described() {
        for format in Format::ALL {
            let path = format!("captions/{{language}}.{}", format.extension());
            assert!(FILES.iter().any(|(described, ..)| *described == path), "{path}");
        }
    }
}
