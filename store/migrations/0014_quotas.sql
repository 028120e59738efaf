-- Quotas: how much a person's videos may take.
-- Null: the setting for everybody counts.
alter table users add column quota_bytes bigint check (quota_bytes >= 0);
alter table users add column quota_minutes bigint check (quota_minutes >= 0);
-- The size of the file that was uploaded; null while it comes, and where a program without quotas took it, until a sweep has
-- measured it.
alter table videos add column source_bytes bigint;
-- How much has come of an upload without a length, as far as it counts against a quota; written now and then.
alter table uploads add column counted bigint not null default 0;
create index videos_unmeasured on videos (id) where source_bytes is null and state <> 'uploading';
