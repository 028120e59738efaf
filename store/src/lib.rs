//! The store: SQL, blobs and signals, which are where the deployments differ. Leaves the meaning of plans and segments to
//! the packager.

pub mod accounts;
mod blobs;
mod captions;
mod chunks;
mod counters;
mod cues;
mod error;
mod figures;
mod grants;
mod health;
mod id;
mod incoming;
mod jobs;
mod listing;
mod metrics;
mod models;
mod pages;
mod posters;
mod quotas;
mod redis;
mod renditions;
mod revocations;
mod search;
mod shares;
mod signals;
mod sources;
mod sql;
mod store;
mod tags;
mod time;
mod transcription;
mod uploads;
mod videos;
mod views;
mod visibility;
pub mod webhooks;
mod worker;

pub use accounts::{Accounts, Viewer};
pub use blobs::{Blob, Blobs, ByteStream};
pub use captions::{
    Captions, Cue, FileTrack, Naming as CaptionNaming, Origin as CaptionOrigin, State as CaptionState,
    Track as CaptionTrack, TranscriptionOptions,
};
pub use chunks::{BrokenOff, ChunkReader, ChunkWriter, Chunks};
pub use counters::{Counters, Hit, Limit};
pub use cues::{CueEdit, Edited, NewTrack, Replacement, StoredCue};
pub use error::{Error, Result};
pub use figures::{QueueFigure, QueueState, VideoFigure};
pub use grants::{Grant, Grantee, Grants};
pub use health::versions;
pub use id::{CaptionId, UserId, VideoId};
pub use incoming::Append;
pub use jobs::{
    Attempt, CHARGED_AHEAD, Claim, Class as JobClass, Job, JobPage, JobPlace, Jobs, Kind as JobKind,
    ListedJob, NewJob, Pauses, Rank as JobRank, Standing, Want,
};
pub use listing::{Cursor, Listing, Page, Sort, SortKey};
pub use pages::{Entries, MOST as MOST_ENTRIES, PageOf, Place as PlaceInList};
pub use posters::{Choice as PosterChoice, Kind as PosterKind, NewChoice as NewPoster, Poster, Posters};
pub use quotas::{Balance, Exceeded, Quota, Quotas, Usage};
pub use renditions::{
    Kind as RenditionKind, Loss, NewPlan, Progress, PublishedRange, Rendition, Renditions, Segment,
};
pub use search::{Found, Hit as SearchHit, Place, Results, Search, SearchCursor, Wanted, Words};
pub use shares::{NewShare, Share, Shares};
pub use signals::{SegmentName, Signal, Signals};
pub use sources::{LoopbackSource, Source};
pub use sql::migrate;
pub use store::{Cluster, Store};
pub use tags::Tag;
pub use time::Timestamp;
pub use transcription::{Advance, Conclusion, DetectedLanguage};
pub use uploads::{Lease as UploadLease, Leases as UploadLeases, StoredBytes, Upload, Uploads};
pub use videos::{Edit, Failure, NewVideo, State, Video, Videos};
pub use views::Views;
pub use visibility::{NewVisibility, Rights, Shown, Visibility};
pub use webhooks::Webhooks;
pub use worker::{JobError, LEASE, Orders, Work, Worker};
