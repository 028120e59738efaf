-- The library: what people uploaded, what it was planned into, and the work that is left.
-- The same text serves SQLite and PostgreSQL: text, bigint, double precision; times are microseconds since 1970.

-- A video, from the first byte of its upload on.
create table videos (
    id text primary key,
    title text not null,
    description text not null default '',
    state text not null check (state in ('uploading', 'uploaded', 'planned', 'playable', 'ready', 'failed')),
    -- A stable word for programs and a sentence for people; set exactly while the state is 'failed'.
    error_code text,
    error_message text,
    -- What the person's machine called the file. Shown, never used as a path.
    source_name text not null,
    duration_seconds double precision,
    -- The packager's plan as JSON; the store does not look inside.
    plan text,
    created_at bigint not null,
    check ((state = 'failed') = (error_code is not null)),
    check ((error_code is null) = (error_message is null))
);
create index videos_newest on videos (created_at desc, id desc);

-- An upload that is not complete. Its offset is the size of its incoming file and stands nowhere else.
create table uploads (
    video_id text primary key references videos (id) on delete cascade,
    -- Null while a client streams without telling.
    length bigint,
    -- Bytes from here on came with a checksum that has not been compared yet; a restart drops them.
    unverified_from bigint,
    expires_at bigint not null
);

-- What a video is encoded to. Written with the plan, so that totals are true from the start.
create table renditions (
    video_id text not null references videos (id) on delete cascade,
    -- The folder below the video, such as '720p', 'audio', 'captions/en'.
    name text not null,
    kind text not null check (kind in ('video', 'audio', 'text')),
    -- The order in which a menu lists them.
    position bigint not null,
    width bigint,
    height bigint,
    frame_rate double precision,
    -- Planned at first, measured once the rendition is whole.
    bitrate_bps bigint,
    language text,
    label text,
    -- RFC 6381, read from the published init segment; null until then.
    codecs text,
    segments_total bigint not null check (segments_total > 0),
    primary key (video_id, name)
);

-- A row stands for a segment whose blob is whole and will never change.
create table segments (
    video_id text not null,
    rendition text not null,
    number bigint not null check (number >= 0),
    -- Sizes and byte ranges as JSON, for bit rates and I-frame playlists.
    facts text not null,
    primary key (video_id, rendition, number),
    foreign key (video_id, rendition) references renditions (video_id, name) on delete cascade
);

-- Work that is left. A finished job is a deleted row.
create table jobs (
    id text primary key,
    video_id text not null references videos (id) on delete cascade,
    -- 'finish' waits until it is the only one left of its video.
    kind text not null check (kind in ('prepare', 'poster', 'text', 'audio', 'video', 'finish')),
    -- The rendition, where the kind has one for each; else empty.
    track text not null default '',
    -- Segments [first, last) that the job publishes.
    first bigint not null default 0,
    last bigint not null default 0,
    -- Higher goes first; then the video that was queued earlier.
    priority bigint not null default 0,
    queued_at bigint not null,
    attempts bigint not null default 0,
    not_before bigint not null default 0,
    -- Who works on it, and until when the others leave it alone.
    lease_owner text,
    lease_until bigint,
    unique (video_id, kind, track, first),
    check ((lease_owner is null) = (lease_until is null))
);
create index jobs_order on jobs (priority desc, queued_at, first);
