-- What a video lacks of its source.

-- Sentences for people about parts of the source that were left out, mended or lost, one a line.
alter table videos add column notes text not null default '';
-- Milliseconds of the source within the segment that could not be decoded.
alter table segments add column lost_ms bigint not null default 0;
