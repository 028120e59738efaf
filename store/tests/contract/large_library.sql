-- A library of 20,000 videos that all are private and somebody else's, in PostgreSQL: at this size its planner uses the indexes
-- that there are, and where one is missing, the plan shows it.
insert into users (id, name, email, email_key, password, role, created_at)
    select 'u' || n, 'n', 'e' || n, 'e' || n, '', 'user', n from generate_series(1, 2000) n;
insert into videos (id, title, title_key, state, source_name, created_at, owner_id, visibility, views, length_ms)
    select 'V' || n, 't', 't' || n, 'ready', '', n, 'u' || (n % 2000 + 1), 'private', n % 100, n
    from generate_series(1, 20000) n;
insert into renditions (video_id, name, kind, position, segments_total)
    select id, r, 'video', 0, 2 from videos, unnest(array['a', 'b']) r;
insert into segments (video_id, rendition, number, facts) select video_id, name, 0, '' from renditions;
insert into captions (id, video_id, origin, state, created_at) select 'c' || id, id, 'machine', 'done', 0 from videos;
insert into tags (video_id, position, tag, tag_key, created_at) select id, 0, 't', 't' || id, created_at from videos;
insert into grants (id, video_id, user_id, created_at) select id, id, 'u' || (created_at % 2000 + 1), 0 from videos;
insert into jobs (id, video_id, kind, queued_at) select id, id, 'video', created_at from videos;
insert into uploads (video_id, expires_at) select id, 0 from videos on conflict do nothing;
insert into sessions (id, user_id, secret, user_agent, created_at, last_seen, expires_at)
    select id, id, id, '', 0, 0, 0 from users;
insert into tokens (id, user_id, name, secret, scopes, created_at) select id, id, '', id, '', 0 from users;
insert into shares (id, video_id, secret, created_at) select id, id, id, 0 from videos;
insert into cues (captions_id, number, start_ms, end_ms, text) select id, n, 0, 1, '' from captions, generate_series(1, 3) n
    where origin = 'machine';
insert into passages (video_id, place, captions_id, cue, terms)
    select c.video_id, 'speech', q.captions_id, q.number, ' word' || c.video_id || ' ' from cues q join captions c on c.id = q.captions_id
    where c.origin = 'machine';
insert into passages (video_id, place, terms) select id, 'title', ' dunes ' || id || ' ' from videos where id like 'V%';
analyze;
