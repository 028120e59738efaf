-- Tags, as a video's owner sets them.
create table tags (
    video_id text not null references videos (id) on delete cascade,
    -- The order in which they were given.
    position bigint not null,
    -- As it was typed, in NFC.
    tag text not null,
    -- The form by which tags are equal: compatibility forms resolved, in lower case.
    tag_key text not null,
    -- The video's own, which never changes: an index then has the videos of a tag in the list's order.
    created_at bigint not null,
    primary key (video_id, tag_key)
);
create index tags_by_key on tags (tag_key, created_at desc, video_id desc);

-- Views: each viewer of a day counted once.
alter table videos add column views bigint not null default 0;

-- The key of a day's marks, which is deleted with them: then nobody can find out whose a mark was.
create table view_keys (
    -- Days since 1970, in UTC.
    day bigint primary key,
    secret text not null
);
-- One viewer of one video on one day: a keyed hash of the two, and no address.
create table view_marks (
    day bigint not null,
    mark text not null,
    primary key (day, mark)
);
