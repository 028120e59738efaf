-- Versions of plans: a worker of an older program leaves a plan that it would read wrongly to newer ones.

-- 0 until there is a plan.
alter table videos add column plan_version bigint not null default 0;
