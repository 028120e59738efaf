-- 100,000 videos with 5,000,000 cues in a SQLite library that the program has made. Words are of three kinds: twenty that all say, a
-- thousand, and fifty thousand.
pragma journal_mode = wal;
pragma synchronous = off;
pragma cache_size = -400000;
pragma temp_store = memory;
begin;
create temp table numbers as
    with recursive n(n) as (select 1 union all select n + 1 from n where n < 100000) select n from n;
create temp table cue_numbers as
    with recursive n(n) as (select 1 union all select n + 1 from n where n < 50) select n from n;
insert into users (id, name, email, email_key, password, role, created_at)
    select 'u' || n, 'Person ' || n, 'p' || n || '@example.org', 'p' || n || '@example.org', '', 'user', n
    from numbers where n <= 1000;
insert into videos (id, title, title_key, description, state, error_code, error_message, source_name, created_at, owner_id,
                    visibility, views, length_ms, duration_seconds, source_bytes)
    select printf('%016x', n), 'Film w' || (n % 997) || ' ' || n, 'film w' || printf('%03d', n % 997) || ' ' || printf('%06d', n),
           'About w' || (n % 4999), case when n % 500 = 0 then 'failed' else 'ready' end,
           case when n % 500 = 0 then 'not_media' end, case when n % 500 = 0 then 'x' end,
           'clip.mp4', n * 1000000, 'u' || (n % 1000 + 1), case n % 3 when 0 then 'private' else 'public' end,
           (n * 7919) % 10007, (n * 104729) % 7200000, 60.0, 1000
    from numbers;
insert into tags (video_id, position, tag, tag_key, created_at)
    select printf('%016x', n), 0, 'often', 'often', n * 1000000 from numbers where n % 10 = 0
    union all select printf('%016x', n), 1, 'seldom' || (n % 5000), 'seldom' || (n % 5000), n * 1000000 from numbers;
insert into captions (id, video_id, name, origin, state, language, created_at)
    select 'c' || n, printf('%016x', n), 'en', 'machine', 'done', 'en', n from numbers;
insert into cues (captions_id, number, start_ms, end_ms, text)
    select 'c' || v.n, q.n, q.n * 4000, q.n * 4000 + 3000,
           'all' || (abs(random()) % 20) || ' all' || (abs(random()) % 20) || ' some' || (abs(random()) % 1000) || ' some'
               || (abs(random()) % 1000) || ' few' || (abs(random()) % 50000) || case when v.n <= 10000 then ' old' else '' end
    from numbers v, cue_numbers q;
drop trigger passages_added;
insert into passages (video_id, place, terms)
    select id, 'title', ' ' || char(0xe000) || ' ' || lower(title) || ' ' from videos order by created_at;
insert into passages (video_id, place, terms)
    select id, 'about', ' ' || char(0xe001) || ' ' || lower(title || ' ' || description) || ' ' from videos order by created_at;
insert into passages (video_id, place, captions_id, cue, terms)
    select c.video_id, 'speech', q.captions_id, q.number, ' ' || q.text || ' '
    from cues q join captions c on c.id = q.captions_id order by q.rowid;
insert into passages_index (passages_index) values ('rebuild');
create trigger passages_added after insert on passages begin
    insert into passages_index (rowid, terms) values (new.id, new.terms);
end;
commit;
analyze;
