-- Search, on SQLite: the words of the library and an index of them. `postgres/0009_search.sql` is its twin.

-- A text that is found as a whole: a title, all that is written about a video, or a cue.
create table passages (
    id integer primary key,
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

-- Case and accents are gone before words come here, so the tokenizer only parts them at blanks.
create virtual table passages_index using fts5 (
    terms, content = 'passages', content_rowid = 'id',
    tokenize = "unicode61 remove_diacritics 0 categories 'L* M* N* Co'"
);
create trigger passages_added after insert on passages begin
    insert into passages_index (rowid, terms) values (new.id, new.terms);
end;
create trigger passages_deleted after delete on passages begin
    insert into passages_index (passages_index, rowid, terms) values ('delete', old.id, old.terms);
end;
create trigger passages_changed after update on passages begin
    insert into passages_index (passages_index, rowid, terms) values ('delete', old.id, old.terms);
    insert into passages_index (rowid, terms) values (new.id, new.terms);
end;
