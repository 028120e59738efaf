-- How often people have chosen a poster, so that nobody replaces a choice that they have not seen.
alter table videos add column poster_revision bigint not null default 0;
