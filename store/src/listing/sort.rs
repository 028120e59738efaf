//! The orders of a list: their words, the places in them, and the statement of each.

use crate::{Timestamp, VideoId, sql::Value, visibility::shows};

/// The order of a list. Equal ones are in the order of their creation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
    /// By title: without case and accents, and numbers by their value.
    Title,
    /// The most watched first.
    Views,
    /// The longest first; last those whose length is not known yet.
    Longest,
}

/// A place in a list: behind the last video seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The value that the video is sorted by, where it is not the time.
    pub key: Option<SortKey>,
    /// Its creation time …
    pub created_at: Timestamp,
    /// … and its id.
    pub id: VideoId,
}

/// A value that videos are sorted by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SortKey {
    /// A count.
    Number(i64),
    /// A text, compared byte by byte.
    Text(String),
}

/// The statements of an order.
pub(super) struct Statements {
    pub(super) all: &'static str,
    pub(super) of_tag: &'static str,
}

/// The columns of an order, each behind `$of`.
macro_rules! columns {
    ($of:literal, time) => {
        concat!($of, "created_at, ", $of, "id")
    };
    ($of:literal, $key:literal) => {
        concat!($of, $key, ", ", $of, "created_at, ", $of, "id")
    };
}

macro_rules! order {
    ($of:literal, time, $direction:literal) => {
        concat!($of, "created_at ", $direction, ", ", $of, "id ", $direction)
    };
    ($of:literal, $key:literal, $direction:literal) => {
        concat!(
            $of,
            $key,
            " ",
            $direction,
            ", ",
            $of,
            "created_at ",
            $direction,
            ", ",
            $of,
            "id ",
            $direction
        )
    };
}

macro_rules! behind {
    ($of:literal, time, $beyond:literal) => {
        concat!("(", columns!($of, time), ") ", $beyond, " ($1, $2)")
    };
    ($of:literal, $key:literal, $beyond:literal) => {
        concat!("(", columns!($of, $key), ") ", $beyond, " ($7, $1, $2)")
    };
}

macro_rules! part {
    ($name:literal, $condition:literal, $key:tt, $beyond:literal, $direction:literal) => {
        concat!(
            "select * from (select ",
            columns!("", $key),
            " from videos where ",
            $condition,
            " and ",
            behind!("", $key, $beyond),
            " order by ",
            order!("", $key, $direction),
            " limit 101) ",
            $name
        )
    };
}

// A keyset and no `offset`: an upload meanwhile would shift the pages, and the database would read all it skips.
//
// Each part of the union walks an index of its own from the cursor on, and ends at the longest page's length, a constant, for
// PostgreSQL takes a limit that it does not know for a tenth of the table; or the part is not begun, where its first condition,
// which names no column, does not hold. One `or` over all of them would have the database read
// every video that the viewer may not see. The page's own columns order it, or PostgreSQL might look for its few videos by
// going through all in their order.
macro_rules! list {
    ($key:tt, $beyond:literal, $direction:literal) => {
        concat!(
            "select videos.*, users.name as owner_name from (",
            part!("every", "$4 = 'all' and $6 = ''", $key, $beyond, $direction),
            " union ",
            part!("every_of_state", "$4 = 'all' and state = $6", $key, $beyond, $direction),
            " union ",
            part!("public", "$4 = 'public' and $6 = '' and visibility = 'public'", $key, $beyond, $direction),
            " union ",
            part!(
                "public_of_state", "$4 = 'public' and state = $6 and visibility = 'public'", $key, $beyond,
                $direction
            ),
            " union ",
            part!(
                "own", "$4 in ('public', 'own') and owner_id = $5 and ($6 = '' or state = $6)", $key, $beyond,
                $direction
            ),
            " union select * from (select ", columns!("v.", $key),
            " from grants g join videos v on v.id = g.video_id
              where $4 in ('public', 'shared') and g.user_id = $5 and ($6 = '' or v.state = $6) and ",
            behind!("v.", $key, $beyond), " order by ", order!("v.", $key, $direction), " limit 101) shared",
            ") page join videos on videos.id = page.id left join users on users.id = videos.owner_id order by ",
            order!("page.", $key, $direction), " limit $3"
        )
    };
}

// The index of a tag in the list's order has its videos, so that a page ends where it is full; who may see each is looked up.
macro_rules! list_of_tag {
    ($key:tt, $tag:literal, $beyond:literal, $direction:literal) => {
        concat!(
            "select videos.*, users.name as owner_name from (
                select v.id, ", tag_columns!($key), " from tags t join videos v on v.id = t.video_id
                where t.tag_key = ", $tag, " and ", behind_in_tag!($key, $beyond), "
                    and ($6 = '' or v.state = $6) and ",
            shows!("v", "$4", "$5"),
            " order by ", tag_order!($key, $direction), " limit 101
            ) page join videos on videos.id = page.id left join users on users.id = videos.owner_id order by ",
            order!("page.", $key, $direction), " limit $3"
        )
    };
}

macro_rules! tag_columns {
    (time) => {
        "t.created_at"
    };
    ($key:literal) => {
        concat!("t.", $key, ", t.created_at")
    };
}

macro_rules! behind_in_tag {
    (time, $beyond:literal) => {
        concat!("(t.created_at, t.video_id) ", $beyond, " ($1, $2)")
    };
    ($key:literal, $beyond:literal) => {
        concat!("(t.", $key, ", t.created_at, t.video_id) ", $beyond, " ($7, $1, $2)")
    };
}

macro_rules! tag_order {
    (time, $direction:literal) => {
        concat!("t.created_at ", $direction, ", t.video_id ", $direction)
    };
    ($key:literal, $direction:literal) => {
        concat!("t.", $key, " ", $direction, ", t.created_at ", $direction, ", t.video_id ", $direction)
    };
}

impl Sort {
    /// All orders.
    pub const ALL: [Self; 5] = [Self::Newest, Self::Oldest, Self::Title, Self::Views, Self::Longest];

    /// Returns the order's word in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Title => "title",
            Self::Views => "views",
            Self::Longest => "longest",
        }
    }

    /// Reads an order's word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == word)
    }

    pub(super) fn statements(self) -> Statements {
        macro_rules! statements {
            ($key:tt, $tag:literal, $beyond:literal, $direction:literal) => {
                Statements {
                    all: list!($key, $beyond, $direction),
                    of_tag: list_of_tag!($key, $tag, $beyond, $direction),
                }
            };
        }
        match self {
            Self::Newest => statements!(time, "$7", "<", "desc"),
            Self::Oldest => statements!(time, "$7", ">", "asc"),
            Self::Title => statements!("title_key", "$8", ">", "asc"),
            Self::Views => statements!("views", "$8", "<", "desc"),
            Self::Longest => statements!("length_ms", "$8", "<", "desc"),
        }
    }

    /// Returns the values of the place in front of all videos.
    pub(super) fn start(self) -> (i64, Option<SortKey>) {
        match self {
            Self::Newest => (i64::MAX, None),
            Self::Oldest => (i64::MIN, None),
            // No key is empty.
            Self::Title => (i64::MIN, Some(SortKey::Text(String::new()))),
            Self::Views | Self::Longest => (i64::MAX, Some(SortKey::Number(i64::MAX))),
        }
    }
}

impl From<SortKey> for Value {
    fn from(key: SortKey) -> Self {
        match key {
            SortKey::Number(number) => Self::from(number),
            SortKey::Text(text) => Self::from(&text),
        }
    }
}
