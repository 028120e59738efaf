-- The machine of the worker that has the lease, or had the last: captions make room for the encoders of their own.
alter table jobs add column lease_machine text;
