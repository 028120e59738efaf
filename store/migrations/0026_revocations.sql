-- Videos that fewer people may watch than before, until caches have dropped them. A row is written with the change that takes the
-- right away, also by a command beside running servers, and read by each server within half a second.
create table revocations (
    id text primary key,
    -- Null for all videos, where a change is about very many. No reference: a deleted video's objects are to go as well.
    video_id text
);
