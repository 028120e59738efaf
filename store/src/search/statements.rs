//! The statements of a look. The places of all: $1 and $2 the videos that are shown, $3 and $4 where the look begins; where a passage
//! is looked for, $7 and $8 its place and the one before, and from $9 on the patterns.

use crate::visibility::shows;

/// The most passages with all terms that are read by the index, which has no order: each is read before the newest is known. Where
/// there are more, so many videos have the words that a page is full sooner by looking at each, newest first.
pub(super) const FEW: i64 = 5000;

/// A number of videos to look through.
pub(super) struct Window {
    /// Finds its last video.
    pub(super) end: &'static str,
    /// Finds the videos down to $5 and $6 that have the words.
    pub(super) within: &'static str,
}

// Limits are constants, as in `listing`. One more passage than `FEW` tells that there are more.
pub(super) const COUNT: &str = "
    select cast((select count(*) from (select rowid from passages_index($1) limit 5001) f) as bigint) as titles,
           cast((select count(*) from (select rowid from passages_index($2) limit 5001) f) as bigint) as about,
           cast((select count(*) from (select rowid from passages_index($3) limit 5001) f) as bigint) as speech";

macro_rules! says {
    () => {
        "p.terms like $9 and p.terms like $10 and p.terms like $11 and p.terms like $12
            and p.terms like $13 and p.terms like $14 and p.terms like $15 and p.terms like $16
            and p.terms like $17 and p.terms like $18 and p.terms like $19 and p.terms like $20"
    };
}

// A limit within keeps PostgreSQL from gathering the passages of all videos first.
macro_rules! has_in {
    ($video:literal, $place:literal) => {
        concat!(
            "(select p.id from passages p where p.video_id = ",
            $video,
            ".id and p.place = ",
            $place,
            " and ",
            says!(),
            " limit 1)"
        )
    };
}

pub(super) const BY_INDEX: &str = concat!(
    "select v.*, (select name from users where users.id = v.owner_id) as owner_name from (
        select distinct p.video_id from passages_index($5) f join passages p on p.id = f.rowid
        where p.place = $7 and ",
    says!(),
    "
    ) f join videos v on v.id = f.video_id
    where (v.created_at, v.id) < ($3, $4) and ",
    shows!("v", "$1", "$2"),
    " and ",
    has_in!("v", "$8"),
    " is null order by v.created_at desc, v.id desc limit $6"
);

macro_rules! part {
    ($name:literal, $from:literal, $condition:literal, $bound:literal, $window:literal) => {
        concat!(
            "select * from (select v.created_at, v.id from ",
            $from,
            " where ",
            $condition,
            " and (v.created_at, v.id) < ($3, $4)",
            $bound,
            " order by v.created_at desc, v.id desc limit ",
            $window,
            ") ",
            $name
        )
    };
}

// The parts are those of lists, and end as they do: each by an index of its own, or it is not begun.
macro_rules! shown {
    ($bound:literal, $window:literal) => {
        concat!(
            part!("every", "videos v", "$1 = 'all'", $bound, $window),
            " union ",
            part!("public", "videos v", "$1 = 'public' and v.visibility = 'public'", $bound, $window),
            " union ",
            part!("own", "videos v", "$1 in ('public', 'own') and v.owner_id = $2", $bound, $window),
            " union ",
            part!(
                "shared",
                "grants g join videos v on v.id = g.video_id",
                "$1 in ('public', 'shared') and g.user_id = $2",
                $bound,
                $window
            )
        )
    };
}

macro_rules! window {
    ($window:literal, $last:literal) => {
        Window {
            end: concat!(
                "select created_at, id from (", shown!("", $window), ") shown
                 order by created_at desc, id desc limit 1 offset ", $last
            ),
            // The middle one has no order of its own, lest a database look at all of the window before it sorts: both read on
            // until the page is full.
            within: concat!(
                "select v.*, (select name from users where users.id = v.owner_id) as owner_name from (
                    select w.id from (
                        select created_at, id from (",
                shown!(" and (v.created_at, v.id) >= ($5, $6)", $window),
                ") shown order by created_at desc, id desc limit ", $window,
                ") w where ", has_in!("w", "$7"), " is not null and ", has_in!("w", "$8"), " is null limit $21
                 ) f join videos v on v.id = f.id order by v.created_at desc, v.id desc"
            ),
        }
    };
}

// The first is enough for words that every tenth video has. Words that even the second has too seldom are of older videos, whose
// passages the index finds.
pub(super) const WINDOWS: [Window; 2] = [window!("300", "299"), window!("4000", "3999")];
