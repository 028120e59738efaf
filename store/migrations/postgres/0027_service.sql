-- Service: the time that workers have been at the jobs of an owner and of each video, by which the next one is chosen.
-- `sqlite/0027_service.sql` is its twin: triggers are each database's own. Rows of jobs come and change in many
-- statements, also in those of the version before.

-- A class of jobs, an owner's share of it, or a video's share of its owner's, and how much encoding it has had.
create table service (
    -- The class, as `jobs.priority` has it.
    priority bigint not null,
    -- '' for the class itself, 'owner:' and an account's id (or nothing), or a video's id.
    name text not null,
    -- The name of the owner or of the class that it is a part of; null for a class.
    part_of text,
    -- Microseconds that workers have been at it, on the clock of what it is a part of.
    served bigint not null default 0,
    -- Of the part that was claimed last: how much it had been served then. What comes new, or again, begins there.
    clock bigint not null default 0,
    -- Of two that have been served alike the one that came first is next.
    since bigint not null,
    used_at bigint not null,
    primary key (priority, name)
);
-- A claim walks it: the least served owner of a class, then the least served of its videos.
create index service_order on service (priority, part_of, served, since, name);
create index service_by_use on service (used_at);
-- The jobs of a video in a class, the next one first.
create index jobs_of_class on jobs (video_id, priority, turn, queued_at, first);

create function enter_service() returns trigger language plpgsql as $$ begin
    insert into service (priority, name, part_of, since, used_at)
        values (new.priority, '', null, new.queued_at, new.queued_at) on conflict do nothing;
    insert into service (priority, name, part_of, since, used_at)
        select new.priority, 'owner:' || coalesce(owner_id, ''), '', new.queued_at, new.queued_at
        from videos where id = new.video_id on conflict do nothing;
    insert into service (priority, name, part_of, since, used_at)
        select new.priority, new.video_id, 'owner:' || coalesce(owner_id, ''), new.queued_at, new.queued_at
        from videos where id = new.video_id on conflict do nothing;
    return null;
end $$;
create trigger jobs_added after insert on jobs for each row execute function enter_service();
create trigger jobs_raised after update of priority on jobs for each row
    when (new.priority <> old.priority) execute function enter_service();

insert into service (priority, name, part_of, since, used_at)
    select priority, '', null, min(queued_at), 0 from jobs group by priority;
insert into service (priority, name, part_of, since, used_at)
    select j.priority, 'owner:' || coalesce(v.owner_id, ''), '', min(j.queued_at), 0
    from jobs j join videos v on v.id = j.video_id group by j.priority, coalesce(v.owner_id, '');
insert into service (priority, name, part_of, since, used_at)
    select j.priority, j.video_id, min('owner:' || coalesce(v.owner_id, '')), min(j.queued_at), 0
    from jobs j join videos v on v.id = j.video_id group by j.priority, j.video_id;
