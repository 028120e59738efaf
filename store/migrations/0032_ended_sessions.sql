-- What lets a person in and has ended: a session, a token, or rights of the account. Servers end the streams of events and the uploads
-- that run by it. Null where the row is about videos. A server of the version before takes such a row for one about all videos, which
-- costs its caches a look.
alter table revocations add column user_id text;
