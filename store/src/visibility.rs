//! The visibility of a video, and the rights that requests for it are judged by.

use crate::{
    Result, UserId, VideoId, Videos, Viewer,
    sql::{FromRow, Row, query},
};

/// The people who may watch a video besides its owner and administrators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody; lists show it.
    #[default]
    Public,
    /// Everybody who has its address.
    Unlisted,
    /// Those who have a grant, or a link that shares it.
    Private,
}

/// The part of a video's row that rights depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The person whose it is; nobody's are the administrators'.
    pub owner: Option<UserId>,
    /// The people who may watch it.
    pub visibility: Visibility,
    /// Tickets that end before this second since 1970 are void.
    pub tickets_from: u64,
}

/// A change of a video's visibility.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewVisibility {
    /// The people who may watch it from now on.
    pub visibility: Visibility,
    /// Tickets that end before this second since 1970 are void from now on: all that were made so far.
    pub tickets_from: u64,
}

/// The videos that a list shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All.
    All,
    /// Public ones, those of a person and those that are shared with them.
    PublicAnd(Option<UserId>),
    /// Those of a person.
    Of(UserId),
    /// Those that are shared with a person.
    SharedWith(UserId),
}

impl Shown {
    /// Returns the videos that lists show to `viewer`.
    pub fn to(viewer: &Viewer) -> Self {
        match viewer {
            Viewer::Everyone | Viewer::Administrator(_) => Self::All,
            Viewer::User(id) => Self::PublicAnd(Some(id.clone())),
            Viewer::Stranger => Self::PublicAnd(None),
        }
    }

    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::PublicAnd(_) => "public",
            Self::Of(_) => "own",
            Self::SharedWith(_) => "shared",
        }
    }

    /// Returns the person that the word is about.
    pub(crate) fn person(&self) -> Option<&str> {
        match self {
            Self::Of(id) | Self::SharedWith(id) | Self::PublicAnd(Some(id)) => Some(id.as_str()),
            Self::All | Self::PublicAnd(None) => None,
        }
    }
}

/// The condition that a list shows the video with the alias `$video`, by the places of [`Shown::word`] and
/// [`Shown::person`].
macro_rules! shows {
    ($video:literal, $word:literal, $person:literal) => {
        concat!(
            "(",
            $word,
            " = 'all' or (",
            $word,
            " = 'public' and ",
            $video,
            ".visibility = 'public')
              or (",
            $word,
            " in ('public', 'own') and ",
            $video,
            ".owner_id = ",
            $person,
            ")
              or (",
            $word,
            " in ('public', 'shared') and exists (
                  select 1 from grants g where g.video_id = ",
            $video,
            ".id and g.user_id = ",
            $person,
            ")))"
        )
    };
}
pub(crate) use shows;

impl Visibility {
    /// All visibilities.
    pub const ALL: [Self; 3] = [Self::Public, Self::Unlisted, Self::Private];

    /// Returns the visibility's word in the API and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Unlisted => "unlisted",
            Self::Private => "private",
        }
    }

    /// Reads the word.
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|visibility| visibility.as_str() == text)
    }

    /// Returns whether playing needs a ticket.
    pub fn needs_ticket(self) -> bool {
        self != Self::Public
    }
}

impl Videos {
    /// Returns the rights on the video `id`, if there is one.
    pub async fn rights(&self, id: &VideoId) -> Result<Option<Rights>> {
        let query =
            query("select owner_id, visibility, tickets_from from videos where id = $1").bind(id.as_str());
        query.fetch_optional(self.sql()).await
    }
}

impl FromRow for Rights {
    fn from_row(row: &Row) -> sqlx::Result<Self> {
        let visibility = Visibility::read(&row.try_get::<String, _>("visibility")?);
        Ok(Self {
            owner: row.try_get::<Option<String>, _>("owner_id")?.map(UserId::from),
            visibility: visibility.ok_or_else(|| sqlx::Error::Decode("videos.visibility".into()))?,
            tickets_from: row.try_get::<i64, _>("tickets_from")? as u64,
        })
    }
}
