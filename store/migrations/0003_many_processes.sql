-- What many processes need to share a library: whose an upload is, and playlists that are written by one at a time.

-- Which origin appends, and until when the others leave the upload alone.
alter table uploads add column lease_owner text;
alter table uploads add column lease_until bigint;
-- Rises whenever another origin takes the upload over; bytes of a lower one are refused.
alter table uploads add column fence bigint not null default 0;
-- Bytes that are kept, where no file's size tells them.
alter table uploads add column stored bigint not null default 0;

-- Set when there is a reason to do the job once more while it is being done.
alter table jobs add column again boolean not null default false;
