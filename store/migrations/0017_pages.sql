-- Pages: an index for each list that is read from a place on.
create index users_by_age on users (created_at, id) where deleted_at is null;
create index invitations_by_age on invitations (created_at desc, id desc) where invited_by is not null;
create index sessions_by_use on sessions (user_id, last_seen desc, id desc);
create index tokens_by_age on tokens (user_id, created_at desc, id desc);
create index shares_by_age on shares (video_id, created_at desc, id desc);
create index grants_by_age on grants (video_id, created_at desc, id desc);
-- The queue in the order in which it is claimed, and what runs.
create index jobs_in_order on jobs ((-priority), turn, queued_at, first, id);
create index jobs_by_lease on jobs (lease_until);
