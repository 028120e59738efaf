-- Revisions of accounts and webhooks: how often people have changed them, so that nobody writes over what they have not seen.
alter table users add column revision bigint not null default 0;
alter table webhooks add column revision bigint not null default 0;
