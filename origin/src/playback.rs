//! Playlists and segments going out: decode, open, answer. Waits for a segment that is planned
//! and not encoded yet.

use axum::extract::{Request, State};
use bytes::Bytes;
use futures::TryStreamExt;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use server::{
    Problem, Response, body,
    content::{self, Meta},
};
use store::{Blob, ChunkReader, Signal, State as VideoState, Video, VideoId};
use tokio::sync::broadcast::error::RecvError;

use crate::{
    File, Origin, Path,
    error::{Error, Result, unknown_video},
    growing,
    wants::Asker,
};

// Far above the playlist of the longest video that we take; above it, text goes out as it is.
const MOST_TEXT: u64 = 8 * 1024 * 1024;

// RFC 9213: what is not there may be in a second, so no browser keeps that; but an edge may for this long, else
// a thousand viewers that wait for one segment would all ask here.
const FOR_EDGES: HeaderName = HeaderName::from_static("cdn-cache-control");
const A_MOMENT: HeaderValue = HeaderValue::from_static("max-age=1");

/// Answers GET and HEAD of every URL below `/v/`.
pub(crate) async fn answer(State(origin): State<Origin>, request: Request) -> Result<Response> {
    let asker = Asker::of(&origin.config.site, &request);
    play(origin, request, asker).await.map_err(|error| match error {
        // The viewer who comes next waits for it; a refusal that is kept would be in the way.
        error if asker == Asker::Prefetch => error,
        Error::Refused(problem) => problem.header(FOR_EDGES, A_MOMENT).into(),
        failed => failed,
    })
}

async fn play(origin: Origin, request: Request, asker: Asker) -> Result<Response> {
    let (request, _) = request.into_parts();
    let Some(path) = Path::decode(request.uri.path()) else {
        return Err(origin.undecodable(request.uri.path()).await?);
    };
    match path.file {
        File::CueSegment { number, .. } => return origin.cue_segment(&request, &path, number).await,
        File::Captions { format, .. } => return origin.captions_file(&request, &path, format).await,
        _ => {}
    }
    let key = path.key();
    let blob = match origin.open(&path, &key).await? {
        Some(blob) => blob,
        None => match origin.wait_for(&path, &key, Waiting { asker, method: &request.method }).await? {
            Awaited::Published(blob) => *blob,
            Awaited::Growing(chunks) => return Ok(growing::answer(origin.clone(), &path, chunks)),
        },
    };
    let meta = Meta {
        tag: blob.tag.clone(),
        modified: blob.modified,
        content_type: path.file.content_type(),
        cache_control: path.file.cache_control(),
    };
    let len = blob.len;
    if path.file.is_text() && len <= MOST_TEXT {
        let chunks = blob.read_range(0..len).await?;
        let text: Vec<Bytes> = chunks.try_collect().await?;
        return Ok(content::answer_text(&request, &meta, text.concat().into()).await?);
    }
    content::answer(&request, &meta, len, async |part| Ok(body::stream(blob.read_range(part).await?))).await
}

/// A request that waits for a segment.
struct Waiting<'a> {
    asker: Asker,
    method: &'a Method,
}

/// The outcome of a wait.
enum Awaited {
    Published(Box<Blob>),
    /// Its first chunks, while the rest of it is encoded.
    Growing(ChunkReader),
}

/// An event, as a request that waits for a file sees it.
enum Notice {
    /// The file is published.
    Published,
    /// Some segment begins to come out of an encoder.
    Begun,
    /// The video changed, or signals were lost.
    Changed,
    Other,
    Closed,
}

impl Notice {
    fn of(signal: std::result::Result<Signal, RecvError>, path: &Path) -> Self {
        let signal = match signal {
            Ok(signal) => signal,
            Err(RecvError::Lagged(_)) => return Self::Changed,
            Err(RecvError::Closed) => return Self::Closed,
        };
        match (&signal, &path.file) {
            (signal, _) if signal.video().is_some_and(|id| *id != path.video) => Self::Other,
            (Signal::Published(_, segment), File::Segment { rendition, number })
                if (&segment.rendition, segment.number) == (rendition, *number) =>
            {
                Self::Published
            }
            // The init segment comes with the first of its rendition.
            (Signal::Published(_, segment), File::Init(rendition)) if segment.rendition == *rendition => {
                Self::Published
            }
            (Signal::Published(..) | Signal::Progress(_), _) => Self::Other,
            _ => Self::Changed,
        }
    }
}

/// The prospect of a blob that is not there.
enum Availability {
    /// It will be published, or the video will fail.
    Coming,
    /// The plan will tell. Its playlists stand a moment before its row, so that players may come in between.
    Unplanned,
    /// It will not be there.
    Never(Problem),
}

impl Origin {
    async fn open(&self, path: &Path, key: &str) -> Result<Option<Blob>> {
        let blobs = &self.store.blobs;
        if let Some(blob) = blobs.open_blob(key).await? {
            return Ok(Some(blob));
        }
        let instead = match path.file {
            // A picture that is small already has one poster, and so have videos from before there were two.
            File::SmallPoster => File::Poster,
            // Once all is encoded there is one multivariant playlist.
            File::Ladder => File::Master,
            _ => return Ok(None),
        };
        let instead = Path { file: instead, ..path.clone() };
        Ok(blobs.open_blob(&instead.key()).await?)
    }

    /// Waits, up to the configured bound, until the blob behind `path` is published or begins to come out of an encoder of
    /// this process, and has it encoded next.
    async fn wait_for(
        &self,
        path: &Path,
        key: &str,
        Waiting { asker, method }: Waiting<'_>,
    ) -> Result<Awaited> {
        // Subscribed before the first look, so that no signal falls between the look and the wait.
        let mut signals = self.store.signals.subscribe();
        let mut begun = self.store.chunks.begun();
        // HEAD has the length and the tag that GET has in the end.
        let growing = || self.store.chunks.read(key).filter(|_| method == Method::GET);
        let mut raised = false;
        let waited = tokio::time::timeout(self.config.segment_wait, async {
            loop {
                // The availability first: what is published after it was taken is then found by the open.
                let availability = self.availability(path).await?;
                if let Some(blob) = self.store.blobs.open_blob(key).await? {
                    return Ok(Awaited::Published(blob.into()));
                }
                if let Some(chunks) = growing() {
                    return Ok(Awaited::Growing(chunks));
                }
                let is_planned = match availability {
                    Availability::Never(problem) => return Err(problem.into()),
                    Availability::Unplanned => false,
                    Availability::Coming => true,
                };
                if asker == Asker::Prefetch {
                    // Nobody waits for it, and it would keep one of the edge's places.
                    return Err(not_encoded_yet().into());
                }
                if is_planned && !std::mem::replace(&mut raised, true) {
                    self.want(path, asker).await?;
                }
                loop {
                    let notice = tokio::select! {
                        signal = signals.recv() => Notice::of(signal, path),
                        Ok(()) = begun.changed() => Notice::Begun,
                    };
                    match notice {
                        // A thousand waiters for it ask no database: the blob is there.
                        Notice::Published => match self.store.blobs.open_blob(key).await? {
                            Some(blob) => return Ok(Awaited::Published(blob.into())),
                            None => break,
                        },
                        Notice::Begun => {
                            if let Some(chunks) = growing() {
                                return Ok(Awaited::Growing(chunks));
                            }
                            // An init segment is published before the first chunk of its rendition.
                            if matches!(path.file, File::Init(_))
                                && let Some(blob) = self.store.blobs.open_blob(key).await?
                            {
                                return Ok(Awaited::Published(blob.into()));
                            }
                        }
                        Notice::Changed => break,
                        Notice::Other => {}
                        // The store is going away; the bound ends the wait.
                        Notice::Closed => std::future::pending().await,
                    }
                }
            }
        });
        if let Ok(outcome) = waited.await {
            return outcome;
        }
        let video = self.store.videos.get(&path.video).await?;
        Err(video.as_ref().and_then(unplayable).unwrap_or_else(not_encoded_yet).into())
    }

    async fn availability(&self, path: &Path) -> Result<Availability> {
        let Some(video) = self.store.videos.get(&path.video).await? else {
            return Ok(Availability::Never(unknown_video()));
        };
        if video.state == VideoState::Uploaded && matches!(path.file, File::Init(_) | File::Segment { .. }) {
            return Ok(Availability::Unplanned);
        }
        if let Some(problem) = unplayable(&video) {
            return Ok(Availability::Never(problem));
        }
        let (File::Init(name) | File::Segment { rendition: name, .. }) = &path.file else {
            return Ok(Availability::Never(unknown_file()));
        };
        let planned = self.store.renditions.of(&path.video).await?;
        let Some(planned) = planned.into_iter().find(|p| p.rendition.name == *name) else {
            // The video may have been deleted between the two queries.
            let known = self.store.videos.get(&path.video).await?.is_some();
            return Ok(Availability::Never(if known { unknown_file() } else { unknown_video() }));
        };
        let number = match path.file {
            File::Segment { number, .. } => number,
            // Any segment needs the init segment, so it comes as surely as the first one.
            _ => 0,
        };
        if number >= planned.rendition.segments_total {
            return Ok(Availability::Never(unknown_segment(planned.rendition.segments_total)));
        }
        // A ready video was published whole: a blob that is missing then will not come.
        match video.state {
            VideoState::Ready => Ok(Availability::Never(unknown_file())),
            _ => Ok(Availability::Coming),
        }
    }

    /// Returns why a file of the video is not there, and never will be.
    pub(crate) async fn absent(&self, id: &VideoId) -> Result<Error> {
        let problem = match self.store.videos.get(id).await? {
            Some(video) => unplayable(&video).unwrap_or_else(unknown_file),
            None => unknown_video(),
        };
        Ok(problem.into())
    }

    /// Distinguishes an unknown video from an unknown file of a known one.
    async fn undecodable(&self, path: &str) -> Result<Error> {
        let video = path.strip_prefix("/v/").and_then(|rest| rest.split('/').next()?.parse::<VideoId>().ok());
        let known = match video {
            Some(id) => self.store.videos.get(&id).await?.is_some(),
            None => false,
        };
        Ok(if known { unknown_file() } else { unknown_video() }.into())
    }
}

/// Returns why nothing of the video plays, if so.
fn unplayable(video: &Video) -> Option<Problem> {
    if let Some(failure) = &video.failure {
        let detail = format!("This video could not be encoded. {}", failure.message);
        return Some(Problem::new(StatusCode::GONE, "video_failed", detail));
    }
    if matches!(video.state, VideoState::Uploading | VideoState::Uploaded) {
        let detail = "This video is not prepared for playing yet.";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "video_not_prepared_yet", detail);
        return Some(problem.retry_after(2));
    }
    None
}

pub(crate) fn unknown_file() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "unknown_file", "The video has no such file.")
}

pub(crate) fn unknown_segment(total: u32) -> Problem {
    let detail = format!("The rendition has {total} segments, counted from 0.");
    Problem::new(StatusCode::NOT_FOUND, "unknown_segment", detail)
}

fn not_encoded_yet() -> Problem {
    let detail = "This segment is planned and not encoded yet.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "segment_not_encoded_yet", detail).retry_after(1)
}
