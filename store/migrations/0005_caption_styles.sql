-- The parts of captions that plain words lose.

-- Shown even when captions are off, such as translated signs: FORCED in HLS, the role forced-subtitle in DASH.
alter table captions add column forced boolean not null default false;
-- Italic, bold and underlined parts of the text, such as 'i0-5 b7-9', counted in characters; empty for most cues.
alter table cues add column styles text not null default '';
-- The segments that Whisper recognized, a row for each window; the JSON export of a track reads them.
alter table heard rename to recognized;
