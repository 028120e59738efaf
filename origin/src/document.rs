//! A video as the API shows it, the same everywhere: in lists, alone and in events.

use std::collections::{HashMap, HashSet};

use ::captions::Grid;
use serde::Serialize;
use server::schema::{id, time};
use store::{CaptionTrack, Progress, PublishedRange, State, StoredBytes, Video, VideoId};
use utoipa::ToSchema;

use crate::{
    Origin,
    asker::Asker,
    captions,
    error::Result,
    planned,
    schema::{rendition_kinds, states, visibilities},
};

// Viewers who go from place to place leave holes behind, which are filled in the end.
const MOST_RANGES: usize = 50;

/// A video's document.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Video)]
pub struct Document {
    #[schema(schema_with = id)]
    id: VideoId,
    title: String,
    description: String,
    tags: Vec<String>,
    /// How many people have watched it, each counted once a day.
    views: u64,
    /// The number of edits so far, which is its entity tag, in quotes.
    revision: u64,
    #[schema(schema_with = states)]
    state: &'static str,
    /// Why it failed.
    #[schema(required)]
    error: Option<Failure>,
    #[schema(required)]
    duration_seconds: Option<f64>,
    /// Sentences about parts of the source that were left out, mended or lost.
    notes: Vec<String>,
    renditions: Vec<Rendition>,
    captions: Vec<captions::Document>,
    #[schema(required)]
    playback: Option<Playback>,
    #[schema(required)]
    poster: Option<String>,
    /// At most 640 pixels wide.
    #[schema(required)]
    poster_small: Option<String>,
    #[schema(required)]
    upload: Option<Upload>,
    /// The jobs that come before its next one.
    #[schema(required)]
    queue_position: Option<u32>,
    #[schema(required)]
    owner: Option<Owner>,
    #[schema(schema_with = visibilities)]
    visibility: &'static str,
    /// Whether the asker may change it.
    may_edit: bool,
    /// Whether it is another's, who shares it with the asker's account.
    shared_with_me: bool,
    #[schema(schema_with = time)]
    created_at: String,
}

/// The person whose it is.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = VideoOwner)]
struct Owner {
    id: String,
    name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = VideoFailure)]
struct Failure {
    code: String,
    message: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
struct Rendition {
    name: String,
    #[schema(schema_with = rendition_kinds)]
    kind: &'static str,
    #[schema(required)]
    width: Option<u32>,
    #[schema(required)]
    height: Option<u32>,
    #[schema(required)]
    frame_rate: Option<f64>,
    #[schema(required)]
    bitrate_bps: Option<u64>,
    #[schema(required)]
    language: Option<String>,
    #[schema(required)]
    label: Option<String>,
    segments_published: u32,
    segments_total: u32,
    /// Published parts while it is encoded: the seconds at which each begins and ends, up to fifty.
    published_seconds: Vec<[f64; 2]>,
    /// The playlists list it: players begin on it or can live on it.
    listed: bool,
    /// Workers that encode it now.
    workers: u32,
    /// Seconds of it that they make in a second, over their last stretch; null until that is known.
    #[schema(required)]
    speed: Option<f64>,
    /// Seconds until it is whole, at that speed.
    #[schema(required)]
    seconds_left: Option<f64>,
}

/// Where to play it: absolute paths on this server.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = PlaybackUrls)]
struct Playback {
    /// Renditions that players can live on.
    hls: String,
    /// The same.
    dash: String,
    /// All renditions of the plan, as HLS: for players that choose by `listed`.
    ladder: String,
}

/// How much of the file is stored.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = StoredUpload)]
struct Upload {
    bytes_stored: u64,
    #[schema(required)]
    bytes_total: Option<u64>,
}

/// The rows around the videos of a page, each kind read by one statement for all of them.
struct Surroundings {
    renditions: HashMap<VideoId, Vec<Progress>>,
    published: HashMap<VideoId, Vec<PublishedRange>>,
    captions: HashMap<VideoId, Vec<CaptionTrack>>,
    uploads: HashMap<VideoId, StoredBytes>,
    queue_positions: HashMap<VideoId, u32>,
    posters: HashSet<String>,
    granted: HashSet<VideoId>,
    tags: HashMap<VideoId, Vec<String>>,
}

impl Surroundings {
    async fn of(origin: &Origin, asker: &Asker, videos: &[Video]) -> Result<Self> {
        let store = &origin.store;
        let of = |wanted: fn(State) -> bool| -> Vec<VideoId> {
            videos.iter().filter(|video| wanted(video.state)).map(|video| video.id.clone()).collect()
        };
        let (all, uploading) = (of(|_| true), of(|state| state == State::Uploading));
        let posters: Vec<String> = of(plays).iter().map(poster).collect();
        Ok(Self {
            renditions: store.renditions.of_all(&all).await?,
            published: store.renditions.published(&of(waits)).await?,
            captions: store.captions.of_all(&all).await?,
            uploads: store.uploads.stored(&uploading).await?,
            queue_positions: store.jobs.queue_positions(&of(waits)).await?,
            posters: store.blobs.existing(&posters).await?,
            granted: asker.granted(origin, &all).await?,
            tags: store.videos.tags_of_all(&all).await?,
        })
    }
}

impl Document {
    /// Gathers the documents of `videos` for the asker, in their order. The number of statements does not depend on that of the
    /// videos.
    pub(crate) async fn of_all(origin: &Origin, asker: &Asker, videos: Vec<Video>) -> Result<Vec<Self>> {
        let mut around = Surroundings::of(origin, asker, &videos).await?;
        Ok(videos.into_iter().map(|video| Self::new(origin, asker, video, &mut around)).collect())
    }

    /// Gathers the document of `video` for the asker.
    pub(crate) async fn of(origin: &Origin, asker: &Asker, video: Video) -> Result<Self> {
        let mut around = Surroundings::of(origin, asker, std::slice::from_ref(&video)).await?;
        Ok(Self::new(origin, asker, video, &mut around))
    }

    fn new(origin: &Origin, asker: &Asker, video: Video, around: &mut Surroundings) -> Self {
        let id = &video.id;
        let renditions = around.renditions.remove(id).unwrap_or_default();
        let published = around.published.remove(id).unwrap_or_default();
        let seconds = PublishedSeconds {
            ranges: &published,
            grid: video.plan.as_deref().and_then(|plan| planned::grid(plan).ok()),
        };
        let captions = around.captions.remove(id).unwrap_or_default();
        let tags = around.tags.remove(id).unwrap_or_default();
        let plays = plays(video.state);
        let has_poster = around.posters.contains(&poster(id));
        // Another address for another picture: browsers ask for that at once, whatever they keep.
        let version = match video.poster.version {
            0 => String::new(),
            version => format!("?v={version}"),
        };
        let folder = origin.folder(id, &video.rights, asker);
        let owner = video.rights.owner.as_ref().map(ToString::to_string).zip(video.owner_name);
        Self {
            playback: plays.then(|| Playback {
                hls: format!("{folder}/master.m3u8"),
                dash: format!("{folder}/manifest.mpd"),
                ladder: format!("{folder}/ladder.m3u8"),
            }),
            poster: has_poster.then(|| format!("{folder}/poster.jpg{version}")),
            poster_small: has_poster.then(|| format!("{folder}/poster-640.jpg{version}")),
            upload: around
                .uploads
                .get(id)
                .map(|upload| Upload { bytes_stored: upload.stored, bytes_total: upload.length }),
            queue_position: around.queue_positions.get(id).copied(),
            renditions: renditions.into_iter().map(|it| Rendition::new(it, &seconds)).collect(),
            captions: captions.into_iter().map(|track| captions::Document::of(track, &folder)).collect(),
            state: video.state.as_str(),
            error: video.failure.map(|f| Failure { code: f.code, message: f.message }),
            duration_seconds: video.duration_seconds,
            notes: video.notes,
            views: video.views,
            revision: video.revision,
            tags,
            owner: owner.map(|(id, name)| Owner { id, name }),
            visibility: video.rights.visibility.as_str(),
            may_edit: asker.viewer.may_edit(video.rights.owner.as_ref()),
            // An address on the list may be the owner's own.
            shared_with_me: around.granted.contains(id) && asker.viewer.user() != video.rights.owner.as_ref(),
            created_at: video.created_at.rfc3339(),
            id: video.id,
            title: video.title,
            description: video.description,
        }
    }

    /// Gathers the document of the video `id`, if there is one.
    pub(crate) async fn find(origin: &Origin, asker: &Asker, id: &VideoId) -> Result<Option<Self>> {
        match origin.store.videos.get(id).await? {
            Some(video) => Ok(Some(Self::of(origin, asker, video).await?)),
            None => Ok(None),
        }
    }

    /// Returns the number of edits so far.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Returns whose it is.
    pub(crate) fn id(&self) -> &VideoId {
        &self.id
    }
}

/// Returns whether a video has playlists. A failed one keeps what was encoded before, but it does not play to its end.
fn plays(state: State) -> bool {
    matches!(state, State::Planned | State::Playable | State::Ready)
}

/// Returns whether there may be encoding left that others come before.
fn waits(state: State) -> bool {
    matches!(state, State::Uploaded | State::Planned | State::Playable)
}

/// Rounds a speed to what a person reads, so that documents do not differ by noise.
fn tenths(speed: f64) -> f64 {
    (speed * 10.0).round() / 10.0
}

fn poster(id: &VideoId) -> String {
    format!("{}/poster.jpg", id.folder())
}

/// The published ranges of a video's renditions, and the grid that they lie on.
struct PublishedSeconds<'a> {
    ranges: &'a [PublishedRange],
    grid: Option<Grid>,
}

impl PublishedSeconds<'_> {
    fn of(&self, rendition: &str) -> Vec<[f64; 2]> {
        let Some(grid) = self.grid else { return Vec::new() };
        let seconds = |n| (grid.seconds(grid.start(n)) * 1000.0).round() / 1000.0;
        let ranges = self.ranges.iter().filter(|range| range.rendition == rendition).take(MOST_RANGES);
        ranges.map(|range| [seconds(range.segments.start), seconds(range.segments.end)]).collect()
    }
}

impl Rendition {
    fn new(progress: Progress, published: &PublishedSeconds<'_>) -> Self {
        let rendition = progress.rendition;
        let published_seconds = published.of(&rendition.name);
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
            published_seconds,
            // A whole rendition is listed when its last run ends, which is a moment later.
            listed: progress.listed || progress.segments_published >= rendition.segments_total,
            workers: progress.workers,
            speed: progress.speed.map(tenths),
            // Rounded as the speed is: each difference of a document would be an event on every page.
            seconds_left: progress.seconds_left.map(f64::ceil),
        }
    }
}
