-- Progress: how fast runs come out of their encoders, and which renditions players can live on.

-- Of a run in hand: seconds of media for each second of work, over the last segments. Null until there are some.
alter table jobs add column speed double precision;
-- Playlists list it: players begin on it, or it is made faster than it plays, or it is there.
alter table renditions add column listed boolean not null default true;
