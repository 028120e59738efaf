//! The part of the API's document that the speech service answers: OpenAI's protocol, refusals included.

use utoipa::{OpenApi, ToSchema, openapi::HttpMethod};

#[derive(OpenApi)]
#[openapi(paths(super::transcriptions, super::models, super::model))]
struct Api;

/// Returns the operations of the speech service, with their schemas.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut api = Api::openapi();
    // Both take the same form and give the same answers.
    let written = api.paths.get_path_operation("/v1/audio/transcriptions", HttpMethod::Post);
    if let Some(mut translated) = written.cloned() {
        translated.operation_id = Some("translateSound".to_owned());
        translated.summary = Some("Writes down in English what is said in a sound.".to_owned());
        api.paths.add_path_operation("/v1/audio/translations", vec![HttpMethod::Post], translated);
    }
    api
}

/// The form, as OpenAI's clients send it.
#[derive(ToSchema)]
#[schema(as = SpeechForm)]
#[expect(dead_code, reason = "the schema of a form, which is read field by field")]
pub(super) struct Form {
    /// The sound.
    #[schema(format = Binary)]
    file: String,
    /// The model's name, or `whisper-1`.
    model: Option<String>,
    language: Option<String>,
    prompt: Option<String>,
    #[schema(minimum = 0, maximum = 1)]
    temperature: Option<f64>,
    response_format: Option<Format>,
    #[schema(rename = "timestamp_granularities[]")]
    timestamp_granularities: Option<Vec<Granularity>>,
}

#[derive(ToSchema)]
#[schema(as = SpeechFormat, rename_all = "snake_case")]
#[expect(dead_code, reason = "a schema")]
pub(super) enum Format {
    Json,
    Text,
    Srt,
    VerboseJson,
    Vtt,
}

#[derive(ToSchema)]
#[schema(as = SpeechGranularity, rename_all = "snake_case")]
#[expect(dead_code, reason = "a schema")]
pub(super) enum Granularity {
    Word,
    Segment,
}

/// The words of a sound; `verbose_json` has more.
#[derive(ToSchema)]
#[schema(as = Speech)]
#[expect(dead_code, reason = "a schema")]
pub(super) struct Words {
    text: String,
    usage: Usage,
}

#[derive(ToSchema)]
#[schema(as = SpeechUsage)]
#[expect(dead_code, reason = "a schema")]
pub(super) struct Usage {
    r#type: String,
    seconds: u64,
}
