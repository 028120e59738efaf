-- 6,400 videos, on either database: the oldest 1,900 say "often" in three cues each, which is more than a search reads by its index,
-- and the others say nothing of it, which is more than it looks through before.
insert into videos (id, title, state, source_name, created_at, visibility)
    with recursive n(n) as (select 1 union all select n + 1 from n where n < 6400)
    select cast(1000000000000000 + n as text), cast(n as text), 'ready', '', n, case n % 2 when 0 then 'private' else 'public' end from n;
insert into captions (id, video_id, origin, state, created_at)
    select 'c' || id, id, 'machine', 'done', 0 from videos where created_at <= 1900;
insert into cues (captions_id, number, start_ms, end_ms, text)
    select id, number, number * 1000, number * 1000 + 500, 'often' from captions, (select 1 as number union select 2 union select 3) n;
insert into passages (video_id, place, captions_id, cue, terms)
    select c.video_id, 'speech', q.captions_id, q.number, ' often ' from cues q join captions c on c.id = q.captions_id;
