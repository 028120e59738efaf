//! Classes of jobs, by how urgent they are. Within a class, videos take turns.

use std::ops::RangeInclusive;

/// Classes whose jobs have workers of their own. Encoders of a rank stand still for those of later ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// No viewer is behind it.
    Calm,
    /// A viewer may come to it.
    Ahead,
    /// A viewer looks at a blank picture for it.
    Waited,
}

impl Rank {
    /// All ranks.
    pub const ALL: [Self; 3] = [Self::Calm, Self::Ahead, Self::Waited];

    /// Returns its classes.
    pub const fn classes(self) -> RangeInclusive<Class> {
        match self {
            Self::Calm => Class::CALM,
            Self::Ahead => Class::Ahead..=Class::Ahead,
            Self::Waited => Class::First..=Class::Plan,
        }
    }

    /// Returns the rank of a priority.
    pub(crate) fn of(priority: i64) -> Self {
        let from_the_top = [Self::Waited, Self::Ahead];
        let is_of = |rank: &Self| priority >= rank.classes().start().priority();
        from_the_top.into_iter().find(is_of).unwrap_or(Self::Calm)
    }
}

/// How urgent a job is; later ones go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Nobody waits for it: posters, texts, captions that nobody asked for.
    Background,
    /// Captions and posters that a person asked for.
    Asked,
    /// The renditions above and below the one that players begin on.
    Rest,
    /// The rendition that players begin on, and its sound.
    StartUp,
    /// Playlists whose captions have changed.
    Playlists,
    /// Segments behind those that a viewer waits for.
    Ahead,
    /// The first segments of a new video.
    First,
    /// Segments that a viewer waits for.
    Wanted,
    /// The plan of a new video.
    Plan,
}

impl Class {
    /// All classes.
    pub const ALL: RangeInclusive<Self> = Self::Background..=Self::Plan;
    /// Classes that viewers are behind.
    pub const URGENT: RangeInclusive<Self> = Self::Ahead..=Self::Plan;
    /// All others.
    pub const CALM: RangeInclusive<Self> = Self::Background..=Self::Playlists;

    /// Returns the class of a priority.
    pub(crate) fn of(priority: i64) -> Self {
        let from_the_top = [
            Self::Plan,
            Self::Wanted,
            Self::First,
            Self::Ahead,
            Self::Playlists,
            Self::StartUp,
            Self::Rest,
            Self::Asked,
        ];
        from_the_top.into_iter().find(|class| priority >= class.priority()).unwrap_or(Self::Background)
    }

    /// Returns the class's word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Background => "background",
            Self::Asked => "asked",
            Self::Rest => "rest",
            Self::StartUp => "start_up",
            Self::Playlists => "playlists",
            Self::Ahead => "ahead",
            Self::First => "first",
            Self::Wanted => "wanted",
            Self::Plan => "plan",
        }
    }

    /// Returns the class as the column `priority` has it.
    pub(crate) fn priority(self) -> i64 {
        // Rows have these numbers; the gaps are for classes that come later.
        match self {
            Self::Background => 0,
            Self::Asked => 10,
            Self::Rest => 20,
            Self::StartUp => 30,
            Self::Playlists => 50,
            Self::Ahead => 70,
            Self::First => 80,
            Self::Wanted => 90,
            Self::Plan => 100,
        }
    }
}
