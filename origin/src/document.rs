//! A video as the API shows it, the same everywhere: in lists, alone and in events.

use serde::Serialize;
use store::{Progress, State, Store, Video, VideoId};

use crate::{Origin, asker::Asker, captions, error::Result};

/// A video's document.
#[derive(Clone, Debug, Serialize)]
pub struct Document {
    id: VideoId,
    title: String,
    description: String,
    state: &'static str,
    error: Option<Failure>,
    duration_seconds: Option<f64>,
    /// Sentences about parts of the source that were left out, mended or lost.
    notes: Vec<String>,
    renditions: Vec<Rendition>,
    captions: Vec<captions::Document>,
    playback: Option<Playback>,
    poster: Option<String>,
    poster_small: Option<String>,
    upload: Option<Upload>,
    queue_position: Option<u32>,
    owner: Option<Owner>,
    visibility: &'static str,
    /// Whether the asker may change it.
    may_edit: bool,
    created_at: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Owner {
    id: String,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Failure {
    code: String,
    message: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct Rendition {
    name: String,
    kind: &'static str,
    width: Option<u32>,
    height: Option<u32>,
    frame_rate: Option<f64>,
    bitrate_bps: Option<u64>,
    language: Option<String>,
    label: Option<String>,
    segments_published: u32,
    segments_total: u32,
}

/// Where to play it: absolute paths on this server.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Playback {
    hls: String,
    dash: String,
}

/// How much of the file is stored.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Upload {
    bytes_stored: u64,
    bytes_total: Option<u64>,
}

impl Document {
    /// Gathers the document of `video` for the asker.
    pub(crate) async fn of(origin: &Origin, asker: &Asker, video: Video) -> Result<Self> {
        let (store, id) = (&origin.store, &video.id);
        let renditions = store.renditions.of(id).await?;
        let captions = store.captions.of(id).await?;
        let upload = match video.state {
            State::Uploading => Self::upload(store, id).await?,
            _ => None,
        };
        let queue_position = match video.state {
            State::Uploaded | State::Planned | State::Playable => store.jobs.queue_position(id).await?,
            State::Uploading | State::Ready | State::Failed => None,
        };
        // A failed video keeps what was encoded before, but it does not play to its end.
        let plays = matches!(video.state, State::Planned | State::Playable | State::Ready);
        let poster = format!("{}/poster.jpg", id.folder());
        let has_poster = plays && store.blobs.open_blob(&poster).await?.is_some();
        let folder = origin.folder(id, &video.rights, asker);
        let owner = video.rights.owner.as_ref().map(ToString::to_string).zip(video.owner_name);
        Ok(Self {
            playback: plays.then(|| Playback {
                hls: format!("{folder}/master.m3u8"),
                dash: format!("{folder}/manifest.mpd"),
            }),
            poster: has_poster.then(|| format!("{folder}/poster.jpg")),
            poster_small: has_poster.then(|| format!("{folder}/poster-640.jpg")),
            upload,
            queue_position,
            renditions: renditions.into_iter().map(Rendition::from).collect(),
            captions: captions.into_iter().map(|track| captions::Document::of(track, &folder)).collect(),
            state: video.state.as_str(),
            error: video.failure.map(|f| Failure { code: f.code, message: f.message }),
            duration_seconds: video.duration_seconds,
            notes: video.notes,
            owner: owner.map(|(id, name)| Owner { id, name }),
            visibility: video.rights.visibility.as_str(),
            may_edit: asker.viewer.may_edit(video.rights.owner.as_ref()),
            created_at: video.created_at.rfc3339(),
            id: video.id,
            title: video.title,
            description: video.description,
        })
    }

    /// Gathers the document of the video `id`, if there is one.
    pub(crate) async fn find(origin: &Origin, asker: &Asker, id: &VideoId) -> Result<Option<Self>> {
        match origin.store.videos.get(id).await? {
            Some(video) => Ok(Some(Self::of(origin, asker, video).await?)),
            None => Ok(None),
        }
    }

    /// Returns whose it is.
    pub(crate) fn id(&self) -> &VideoId {
        &self.id
    }

    async fn upload(store: &Store, id: &VideoId) -> Result<Option<Upload>> {
        let Some(upload) = store.uploads.get(id).await? else { return Ok(None) };
        let bytes_stored = store.uploads.offset(id).await?;
        Ok(Some(Upload { bytes_stored, bytes_total: upload.length }))
    }
}

impl From<Progress> for Rendition {
    fn from(progress: Progress) -> Self {
        let rendition = progress.rendition;
        Self {
            name: rendition.name,
            kind: rendition.kind.as_str(),
            width: rendition.width,
            height: rendition.height,
            frame_rate: rendition.frame_rate,
            bitrate_bps: rendition.bitrate_bps,
            language: rendition.language,
            label: rendition.label,
            segments_published: progress.segments_published,
            segments_total: rendition.segments_total,
        }
    }
}
