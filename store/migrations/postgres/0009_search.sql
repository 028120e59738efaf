-- Search, on PostgreSQL: the words of the library and an index of them. `sqlite/0009_search.sql` is its twin.

-- A text that is found as a whole: a title, all that is written about a video, or a cue.
create table passages (
    id bigint generated always as identity primary key,
    video_id text not null references videos (id) on delete cascade,
    -- 'about' has the title too: words of both may be looked for together.
    place text not null check (place in ('title', 'about', 'speech')),
    captions_id text,
    cue bigint,
    -- Folded words between blanks, as `search/words.rs` writes them; the first of a title and of an 'about' is its mark.
    terms text not null,
    check ((place = 'speech') = (cue is not null)),
    check ((captions_id is null) = (cue is null)),
    -- Its cue's end is its own, whatever deletes the cue.
    foreign key (captions_id, cue) references cues (captions_id, number) on delete cascade
);
create index passages_of_video on passages (video_id, place);
create unique index passages_of_words on passages (video_id, place) where cue is null;
create unique index passages_of_cue on passages (captions_id, cue);

-- Words go in as they are: `to_tsvector` would part them again, and drop those that a language calls noise.
create index passages_terms on passages using gin (array_to_tsvector(string_to_array(btrim(terms), ' ')));

-- FTS5's table by the same name, so that one statement serves both databases. The sum keeps the planner from walking the
-- primary key in its order in place of the index of words.
create function passages_index(query text) returns table (rowid bigint) language sql stable rows 1000 as $$
    select id + 0 from passages where array_to_tsvector(string_to_array(btrim(terms), ' ')) @@ query::tsquery
$$;
-- SQLite's function of that name, for lists of ids.
create function json_each(list text) returns table (value text) language sql immutable rows 50 as $$
    select json_array_elements_text(list::json)
$$;
