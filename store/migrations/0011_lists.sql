-- Lists: an index for each order in which videos are listed, so that no page reads the whole table.
create index videos_public on videos (created_at desc, id desc) where visibility = 'public';
create index videos_of_state on videos (state, created_at desc, id desc);
-- How many videos wait before another one.
create index jobs_by_age on jobs (queued_at, kind, video_id);
-- The sweep of uploads that were abandoned.
create index uploads_by_end on uploads (expires_at);
