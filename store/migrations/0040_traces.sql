-- Traces: where what a row stands for was asked for, so that whoever goes on with it goes on with the trace, in whatever process.
-- A `traceparent` of W3C's Trace Context; null where no traces are made.

alter table uploads add column trace text;
alter table jobs add column trace text;
