-- Sorted lists: the forms by which videos are put in order, and an index for each order of each list, so that no page reads the
-- whole table. `postgres/0025_sorted_lists.sql` is its twin, which names the collation that SQLite has by itself.

-- The title as `listing/title.rs` folds it, compared byte by byte; empty until the program has written it.
alter table videos add column title_key text not null default '';
-- How long it plays; 0 before the plan.
alter table videos add column length_ms bigint not null default 0;
update videos set length_ms = cast(duration_seconds * 1000 as bigint) where duration_seconds is not null;

create index videos_by_title on videos (title_key, created_at, id);
create index videos_public_by_title on videos (title_key, created_at, id) where visibility = 'public';
create index videos_of_state_by_title on videos (state, title_key, created_at, id);
create index videos_of_owner_by_title on videos (owner_id, title_key, created_at, id);

create index videos_by_views on videos (views desc, created_at desc, id desc);
create index videos_public_by_views on videos (views desc, created_at desc, id desc) where visibility = 'public';
create index videos_of_state_by_views on videos (state, views desc, created_at desc, id desc);
create index videos_of_owner_by_views on videos (owner_id, views desc, created_at desc, id desc);

create index videos_by_length on videos (length_ms desc, created_at desc, id desc);
create index videos_public_by_length on videos (length_ms desc, created_at desc, id desc) where visibility = 'public';
create index videos_of_state_by_length on videos (state, length_ms desc, created_at desc, id desc);
create index videos_of_owner_by_length on videos (owner_id, length_ms desc, created_at desc, id desc);
