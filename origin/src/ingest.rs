//! `POST /api/v1/videos`: a whole video in one request, for curl and scripts. A request that breaks off leaves nothing;
//! uploads that resume are those of tus.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{FromRequest, Multipart, Query, Request, State, multipart::Field, rejection::QueryRejection},
};
use bytes::Bytes;
use futures::Stream;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use server::{BoxError, Response, body, document::json};
use store::{Append, Edit, NewVideo, Timestamp, UserId, VideoId};
use utoipa::{IntoParams, ToSchema};

use crate::{
    Document, Origin,
    asker::Asker,
    disposition,
    error::{Error, Result, bad_request, unknown_video, upload_too_large},
    receive::{Incoming, Received, bytes, content_length},
    title,
};

// A form's parts have headers and boundaries besides their bytes.
const FORM_EXTRA: u64 = 64 * 1024;
// The longest words that a form may bring; a title that is too long is refused, not cut off.
const MOST_WORDS: usize = 32 * 1024;

// The client gets the id at the end only, so it cannot resume an upload that a dying server left; it expires soon.
const UNANNOUNCED_REST: Duration = Duration::from_mins(5);

/// The words of a raw upload; a form may bring them as fields.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Words {
    #[param(max_length = 200)]
    title: Option<String>,
    #[param(max_length = 5000)]
    description: Option<String>,
    /// The file's name, which the title is made of where there is none.
    filename: Option<String>,
    /// The person who sends it.
    #[serde(skip)]
    owner: Option<UserId>,
}

/// A form that brings a video.
#[derive(ToSchema)]
#[schema(as = VideoUpload)]
#[expect(dead_code, reason = "the schema of a form, which is read field by field")]
pub(crate) struct Form {
    #[schema(format = Binary)]
    file: String,
    title: Option<String>,
    description: Option<String>,
}

/// Takes a video and answers with its document.
#[utoipa::path(
    post, path = "/api/v1/videos", tag = "videos", operation_id = "uploadVideo",
    params(Words),
    request_body(
        content((Form = "multipart/form-data"), (Vec<u8> = "application/octet-stream")),
        description = "The file, in a form or as the body. Uploads that resume are those of tus.",
    ),
    responses(
        (status = 201, body = Document, headers(("Location" = String, description = "The video's address"))),
        (status = 400, description = "`file_required`, `one_file_expected`, `invalid_form`, `invalid_query`, `body_broken`"),
        (status = 408, description = "`body_stalled`"),
        (status = 413, description = "`upload_too_large`, `quota_exceeded`, `body_too_large`"),
        (status = 415, description = "`not_media`"),
        (status = 422, description = "`invalid_text`"),
        (status = 423, description = "`upload_locked`"),
        (status = 507, description = "`insufficient_storage`"),
    ),
)]
pub(crate) async fn create(
    State(origin): State<Origin>,
    query: std::result::Result<Query<Words>, QueryRejection>,
    request: Request,
) -> Result<Response> {
    let Query(words) = query.map_err(|e| bad_request("invalid_query", e.body_text()))?;
    let limit = origin.config.max_upload_bytes;
    let most = if is_form(&request) { limit.saturating_add(FORM_EXTRA) } else { limit };
    // The refusal comes before the body is read: curl waits for 100 Continue (RFC 9110
    // §10.1.1), and then sends none of its gigabytes.
    if content_length(request.body()).is_some_and(|bytes| bytes > most) {
        return Err(upload_too_large(limit));
    }
    let worker = origin.clone();
    let asker = Asker::of(&origin, request.extensions());
    // Without a length, one byte at least is to come.
    let extra = if is_form(&request) { FORM_EXTRA } else { 0 };
    let least = content_length(request.body()).map_or(1, |bytes| bytes.saturating_sub(extra));
    origin.admit(asker.viewer.user(), least).await?;
    let work = async move { worker.take_all(&asker, words, request).await };
    let document = origin.run_to_completion(work).await?;
    let location = format!("/api/v1/videos/{}", document.id());
    let mut response = json(StatusCode::CREATED, &document);
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

pub(crate) fn is_form(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("multipart/form-data"))
}

impl Origin {
    /// Takes the video, all of it or nothing.
    async fn take_all(&self, asker: &Asker, mut words: Words, request: Request) -> Result<Document> {
        words.owner = asker.viewer.user().cloned();
        let mut begun = None;
        let taken = if is_form(&request) {
            self.take_form(words, request, &mut begun).await
        } else {
            self.take_raw(&words, request.into_body(), &mut begun).await
        };
        if taken.is_err()
            && let Some(id) = &begun
            && let Err(error) = self.store.delete(id).await
        {
            tracing::error!(video = %id, %error, "cannot delete what broke off");
        }
        Document::find(self, asker, &taken?).await?.ok_or_else(|| unknown_video().into())
    }

    async fn take_raw(&self, words: &Words, body: Body, begun: &mut Option<VideoId>) -> Result<VideoId> {
        let video = words.video(None)?;
        let length = content_length(&body);
        if length == Some(0) {
            return Err(no_file());
        }
        let (id, mut append) = self.begin(&video, length, begun).await?;
        self.fill(&video, &mut append, bytes(body)).await?;
        if append.offset() == 0 {
            return Err(no_file());
        }
        self.complete(id, append).await
    }

    async fn take_form(
        &self,
        mut words: Words,
        request: Request,
        begun: &mut Option<VideoId>,
    ) -> Result<VideoId> {
        let form = Multipart::from_request(request, &()).await;
        let mut form = form.map_err(|e| bad_request("invalid_form", e.body_text()))?;
        let mut file = None;
        // Fields come in any order: the words before the file are known when it begins, the rest is added.
        while let Some(field) = form.next_field().await.map_err(broken)? {
            let file_name = disposition::file_name(&field);
            if field.name() != Some("file") {
                // A file under another name, as `curl -F video=@file` sends it, is a mistake to name before its
                // gigabytes are read.
                if file_name.is_some() {
                    return Err(no_file());
                }
                words.take(field).await?;
                continue;
            }
            if file.is_some() {
                return Err(bad_request("one_file_expected", "The form may have one file."));
            }
            let video = words.video(file_name.as_deref())?;
            let (id, mut append) = self.begin(&video, None, begun).await?;
            self.fill(&video, &mut append, field).await?;
            file = Some((id, append));
        }
        let (id, append) = file.filter(|(_, append)| append.offset() > 0).ok_or_else(no_file)?;
        self.store.videos.edit(&id, &words.edit()?).await?;
        self.complete(id, append).await
    }

    async fn begin(
        &self,
        video: &NewVideo,
        length: Option<u64>,
        begun: &mut Option<VideoId>,
    ) -> Result<(VideoId, Append)> {
        let id = self.store.uploads.begin(video, length, Timestamp::now() + UNANNOUNCED_REST).await?.id;
        *begun = Some(id.clone());
        // Counted by now, as is another one that was begun meanwhile.
        self.admit(video.owner.as_ref(), 0).await?;
        // Nobody else knows the id yet, so nobody has the right to append; but it may be deleted from a list.
        let append = self.store.uploads.append(&id, false).await?.ok_or_else(unknown_video)?;
        Ok((id, append))
    }

    async fn fill<S, E>(&self, video: &NewVideo, append: &mut Append, bytes: S) -> Result<()>
    where
        S: Stream<Item = std::result::Result<Bytes, E>> + Unpin,
        E: Into<BoxError>,
    {
        let (most, owner) = (self.config.max_upload_bytes, video.owner.as_ref());
        let id = append.id().clone();
        // The length is counted already; the bytes behind it are the limit's to refuse.
        let counted = self.store.uploads.get(&id).await?.and_then(|upload| upload.length);
        let left = self.bytes_left(owner).await?;
        let limit = left.map_or(most, |left| most.min(left.saturating_add(counted.unwrap_or(0))));
        let owner = owner.filter(|_| counted.is_none());
        let incoming = Incoming { bytes, limit, rest: UNANNOUNCED_REST, owner, seen: &mut |_| {} };
        match self.receive(&id, append, incoming).await? {
            Received::Whole => Ok(()),
            Received::TooMuch if limit < most => {
                self.store.quotas.count_upload(&id, append.offset()).await?;
                self.admit(owner, 1).await?;
                Err(upload_too_large(limit))
            }
            Received::TooMuch => Err(upload_too_large(limit)),
        }
    }

    async fn complete(&self, id: VideoId, append: Append) -> Result<VideoId> {
        self.store.uploads.finish(append).await?;
        Ok(id)
    }
}

impl Words {
    fn video(&self, file_name: Option<&str>) -> Result<NewVideo> {
        let source_name = title::source_name(file_name.or(self.filename.as_deref()).unwrap_or_default());
        let Edit { title, description, .. } = self.edit()?;
        let title = title.unwrap_or_else(|| title::from_source_name(&source_name));
        Ok(NewVideo {
            title,
            description: description.unwrap_or_default(),
            source_name,
            owner: self.owner.clone(),
        })
    }

    fn edit(&self) -> Result<Edit> {
        let title = self.title.as_deref().filter(|text| !text.trim().is_empty());
        Ok(Edit {
            title: title.map(title::title).transpose()?,
            description: self.description.as_deref().map(title::description).transpose()?,
            ..Edit::default()
        })
    }

    async fn take(&mut self, mut field: Field<'_>) -> Result<()> {
        let place = match field.name() {
            Some("title") => &mut self.title,
            Some("description") => &mut self.description,
            // A form may have a button or a token that is none of our business; its bytes are dropped as they come.
            _ => {
                while field.chunk().await.map_err(broken)?.is_some() {}
                return Ok(());
            }
        };
        let mut text = Vec::new();
        while let Some(piece) = field.chunk().await.map_err(broken)? {
            if text.len() + piece.len() > MOST_WORDS {
                return Err(body::Error::TooLarge { limit: MOST_WORDS as u64 }.into());
            }
            text.extend_from_slice(&piece);
        }
        *place = Some(String::from_utf8_lossy(&text).into_owned());
        Ok(())
    }
}

fn broken(error: axum::extract::multipart::MultipartError) -> Error {
    body::Error::from(Box::new(error) as BoxError).into()
}

fn no_file() -> Error {
    bad_request("file_required", "The request must bring a video, as the field `file` or as its body.")
}
