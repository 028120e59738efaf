-- When the worker that has the lease began.
alter table jobs add column claimed_at bigint;
