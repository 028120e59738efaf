-- Idempotency keys: a request that is sent again with its key gets the first one's answer.
create table idempotency_keys (
    user_id text not null references users (id) on delete cascade,
    -- The method and the path.
    endpoint text not null,
    -- The client's key, hashed.
    key_hash text not null,
    -- A hash of the request: the same key with another one is refused.
    fingerprint text not null,
    -- The answer, sealed by the credential that asked; null while the first request runs.
    answer text,
    -- The time until which the running request has the key; another may take it then.
    held_until bigint not null,
    created_at bigint not null,
    primary key (user_id, endpoint, key_hash)
);
create index idempotency_keys_of_user on idempotency_keys (user_id, created_at);
create index idempotency_keys_by_age on idempotency_keys (created_at);
