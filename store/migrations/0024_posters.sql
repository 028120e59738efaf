-- Posters: the picture that stands for a video, and what its owner has chosen instead of the automatic one.

-- The poster that the video has.
alter table videos add column poster_kind text not null default 'automatic'
    check (poster_kind in ('automatic', 'frame', 'picture'));
-- The moment of a frame, in seconds.
alter table videos add column poster_seconds double precision;
-- How often it has changed; a part of the poster's URL, so that no browser shows the one before.
alter table videos add column poster_version bigint not null default 0;

-- The choice that a packager is to make, or could not.
create table poster_choices (
    video_id text primary key references videos (id) on delete cascade,
    -- Another for each choice; the blob of a picture is named by it.
    id text not null,
    kind text not null check (kind in ('automatic', 'frame', 'picture')),
    seconds double precision,
    -- Null while it waits; else the code of the reason why it cannot be made.
    problem text,
    check ((kind = 'frame') = (seconds is not null))
);
