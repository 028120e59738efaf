-- Revisions: how often people have changed what they may change of a video, so that nobody writes over what they have not seen.
alter table videos add column revision bigint not null default 0;
