//! Kinds of jobs: which work a row stands for.

/// The kind of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Probe the source, fix the plan, write the playlists.
    Prepare,
    /// Make the poster: the one that the owner has chosen, else a frame with detail.
    Poster,
    /// Copy a text track of the file; the job's track is the caption track's id.
    Text,
    /// Encode a run of one audio rendition.
    Audio,
    /// Encode a run of video renditions; the job's track names them, apart by a space.
    Video,
    /// Measure, write the playlists again, mark the video ready. Waits until the video is encoded.
    Finish,
    /// Listen and write captions; the job's track is the caption track's id.
    Captions,
    /// Write the playlists again, for the captions that they list have changed.
    Playlists,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Prepare,
        Self::Poster,
        Self::Text,
        Self::Audio,
        Self::Video,
        Self::Finish,
        Self::Captions,
        Self::Playlists,
    ];

    const WRITERS: [Self; 3] = [Self::Prepare, Self::Finish, Self::Playlists];

    /// Returns whether jobs of this kind write playlists.
    pub fn writes_playlists(self) -> bool {
        Self::WRITERS.contains(&self)
    }

    /// Returns the kind's word in the database and in logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::Poster => "poster",
            Self::Text => "text",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Finish => "finish",
            Self::Captions => "captions",
            Self::Playlists => "playlists",
        }
    }
}
