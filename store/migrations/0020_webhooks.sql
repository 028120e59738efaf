-- Webhooks: addresses of other programs that are notified of what happens to videos.
create table webhooks (
    -- Shown in lists; it opens nothing.
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    url text not null,
    -- The events' words, each with a space before and behind it.
    events text not null,
    -- 'all' counts only while the person is an administrator.
    videos text not null check (videos in ('own', 'all')),
    -- As it is, for every delivery is signed by it.
    secret text not null,
    -- Switched off by its person, or by a target that answered that it is gone.
    active boolean not null default true,
    created_at bigint not null
);
create index webhooks_of_user on webhooks (user_id);
create index webhooks_of_all on webhooks (videos) where videos = 'all';

-- Deliveries: an outbox, written by the transaction that changes the video, and the log of what became of each.
create table deliveries (
    -- Sent along: the same at every attempt, so that a target knows one that comes twice.
    id text primary key,
    webhook_id text not null references webhooks (id) on delete cascade,
    event text not null,
    -- What is sent of the video, as it was then. It may be gone by now, so the column refers to no row.
    video_id text not null,
    title text not null,
    error_code text,
    error_message text,
    -- The caption track, and its language where it is known.
    track text,
    language text,
    occurred_at bigint not null,
    state text not null check (state in ('waiting', 'delivered', 'failed')),
    -- Since it was last sent by a person's hand, or since it came.
    attempts bigint not null default 0,
    not_before bigint not null,
    -- Who sends it, and until when the others leave it alone.
    lease_owner text,
    lease_until bigint,
    -- The last attempt: when, the status of the answer, or the reason why there was none.
    attempted_at bigint,
    status bigint,
    problem text,
    check ((lease_owner is null) = (lease_until is null))
);
create index deliveries_due on deliveries (not_before, id) where state = 'waiting';
create index deliveries_of_webhook on deliveries (webhook_id, occurred_at desc, id desc);
create index deliveries_waiting on deliveries (webhook_id, lease_until) where state = 'waiting';
