-- Captions: tracks of cues that belong to a video, whoever wrote them, and the work that writes them.

-- A caption track. Its cues are rows of their own, so that one can be corrected, and shown before the last is written.
create table captions (
    id text primary key,
    video_id text not null references videos (id) on delete cascade,
    -- The folder below 'captions/' in URLs: the language, with a number behind it for the second of its kind.
    -- Null until the language is known; changes with it alone.
    name text,
    -- Where the words are from: the uploaded file's own track, a machine that listened, or a person.
    origin text not null check (origin in ('file', 'machine', 'person')),
    -- 'none' is a machine's word for a video in which nobody speaks.
    state text not null check (state in ('queued', 'waiting', 'running', 'done', 'none', 'failed')),
    -- A sentence for people: what is waited for, or why it failed.
    message text,
    -- BCP 47; null until it is known.
    language text,
    -- What a person or the file calls it; null goes by the language.
    label text,
    -- Written for those who do not hear: it tells sounds besides words.
    describes_sounds boolean not null default false,
    -- What a person asks of the machine; null leaves it to the machine's settings.
    wanted_language text,
    wanted_model text,
    prompt text,
    translated boolean not null default false,
    -- Cues that start before this are there; the rest is still to come.
    seconds_done double precision not null default 0,
    -- Where the sound broke off, when it did so before the video's end.
    ends_at_seconds double precision,
    -- The transcriber's place in the sound, as JSON that only it reads; null when it is not under way.
    checkpoint text,
    -- Model, hash, library version and settings, as JSON; null for what no machine wrote.
    provenance text,
    -- Somebody changed a cue by hand.
    edited boolean not null default false,
    -- Grows with every change of the track or its cues.
    revision bigint not null default 1,
    created_at bigint not null,
    unique (video_id, name),
    check (state <> 'failed' or message is not null)
);
create index captions_of_video on captions (video_id, created_at, id);

create table cues (
    captions_id text not null references captions (id) on delete cascade,
    -- The cue's name, which stays its own while others come and go.
    number bigint not null check (number > 0),
    start_ms bigint not null check (start_ms >= 0),
    end_ms bigint not null,
    -- WebVTT's cue settings, such as 'line:0 align:start'.
    settings text not null default '',
    -- Plain lines; what a format needs escaped is escaped when it is written.
    text text not null,
    primary key (captions_id, number),
    check (end_ms > start_ms)
);
create index cues_in_time on cues (captions_id, start_ms);

-- What a machine heard, before it was laid out in cues: words, probabilities, tokens. A row for each window.
create table heard (
    captions_id text not null references captions (id) on delete cascade,
    number bigint not null check (number > 0),
    -- A JSON array of the transcriber's; the store does not look inside.
    segments text not null,
    primary key (captions_id, number)
);

-- The same jobs with two more kinds; a check cannot be changed in both databases, a table can be replaced.
create table more_jobs (
    id text primary key,
    video_id text not null references videos (id) on delete cascade,
    -- 'finish' waits until it is the only one left of its video, but for 'captions' and 'playlists'.
    kind text not null check (kind in
        ('prepare', 'poster', 'text', 'audio', 'video', 'finish', 'captions', 'playlists')),
    -- The rendition, or the caption track, where the kind has one for each; else empty.
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
insert into more_jobs select * from jobs;
drop table jobs;
alter table more_jobs rename to jobs;
create index jobs_order on jobs (priority desc, queued_at, first);

-- Text renditions of before are read again from their sources, into captions.
delete from jobs where kind = 'text';
insert into captions (id, video_id, name, origin, state, language, label, created_at)
    select v.id || '-' || r.position, v.id, substr(r.name, 10), 'file', 'queued', r.language, r.label, v.created_at
    from renditions r join videos v on v.id = r.video_id
    where r.kind = 'text' and v.state in ('planned', 'playable', 'ready');
insert into jobs (id, video_id, kind, track, queued_at)
    select c.id, c.video_id, 'text', c.id, c.created_at from captions c;
delete from renditions where kind = 'text';
