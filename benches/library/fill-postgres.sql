-- 100,000 videos with 5,000,000 cues in tables that `clipcut migrate` has made, as in `fill-sqlite.sql`.
set synchronous_commit = off;
set maintenance_work_mem = '512MB';
insert into users (id, name, email, email_key, password, role, created_at)
    select 'u' || n, 'Person ' || n, 'p' || n || '@example.org', 'p' || n || '@example.org', '', 'user', n
    from generate_series(1, 1000) n;
insert into videos (id, title, title_key, description, state, error_code, error_message, source_name, created_at, owner_id,
                    visibility, views, length_ms, duration_seconds, source_bytes)
    select lpad(to_hex(n), 16, '0'), 'Film w' || (n % 997) || ' ' || n,
           'film w' || lpad((n % 997)::text, 3, '0') || ' ' || lpad(n::text, 6, '0'),
           'About w' || (n % 4999), case when n % 500 = 0 then 'failed' else 'ready' end,
           case when n % 500 = 0 then 'not_media' end, case when n % 500 = 0 then 'x' end,
           'clip.mp4', n * 1000000::bigint, 'u' || (n % 1000 + 1), case n % 3 when 0 then 'private' else 'public' end,
           (n * 7919::bigint) % 10007, (n * 104729::bigint) % 7200000, 60.0, 1000
    from generate_series(1, 100000) n;
insert into tags (video_id, position, tag, tag_key, created_at)
    select lpad(to_hex(n), 16, '0'), 0, 'often', 'often', n * 1000000::bigint from generate_series(10, 100000, 10) n
    union all
    select lpad(to_hex(n), 16, '0'), 1, 'seldom' || (n % 5000), 'seldom' || (n % 5000), n * 1000000::bigint
    from generate_series(1, 100000) n;
insert into captions (id, video_id, name, origin, state, language, created_at)
    select 'c' || n, lpad(to_hex(n), 16, '0'), 'en', 'machine', 'done', 'en', n from generate_series(1, 100000) n;
insert into cues (captions_id, number, start_ms, end_ms, text)
    select 'c' || v, q, q * 4000, q * 4000 + 3000,
           'all' || floor(random() * 20) || ' all' || floor(random() * 20) || ' some' || floor(random() * 1000) || ' some'
               || floor(random() * 1000) || ' few' || floor(random() * 50000) || case when v <= 10000 then ' old' else '' end
    from generate_series(1, 100000) v, generate_series(1, 50) q;
drop index passages_terms;
insert into passages (video_id, place, terms)
    select id, 'title', ' ' || U&'\E000' || ' ' || lower(title) || ' ' from videos order by created_at;
insert into passages (video_id, place, terms)
    select id, 'about', ' ' || U&'\E001' || ' ' || lower(title || ' ' || description) || ' ' from videos order by created_at;
insert into passages (video_id, place, captions_id, cue, terms)
    select c.video_id, 'speech', q.captions_id, q.number, ' ' || q.text || ' ' from cues q join captions c on c.id = q.captions_id;
create index passages_terms on passages using gin (array_to_tsvector(string_to_array(btrim(terms), ' ')));
vacuum analyze;
