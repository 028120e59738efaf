-- Runs: what one encoder makes at a time, shared out by how urgent it is, and in turns between videos.
-- A run's renditions stand in `track`, apart by a space. Each segment of each rendition belongs to at most one run.

-- How much of its video's work comes before it, on a clock that all videos share: the lowest is next.
alter table jobs add column turn bigint not null default 0;
-- Until when a viewer is taken to wait for it; null where nobody waits.
alter table jobs add column wanted_until bigint;
-- The priority that a wanted run falls back to.
alter table jobs add column calm bigint not null default 0;
drop index jobs_order;
create index jobs_order on jobs (priority desc, turn, queued_at, first);
create index jobs_wanted on jobs (wanted_until);

-- Players begin on these: with the first segment of each, the video is playable.
alter table renditions add column start_up boolean not null default false;
update renditions set start_up = true;
