-- Grants: the accounts, besides the owner's, that may watch a video while it is private.
create table grants (
    -- Shown in lists; it opens nothing.
    id text primary key,
    video_id text not null references videos (id) on delete cascade,
    -- Null: the address had no account. Such a row opens nothing, whoever signs up by the address later, for nobody has
    -- proved that it is theirs; the list shows it like any other, and so tells nobody which addresses have accounts.
    user_id text references users (id) on delete cascade,
    -- The address by which it was made, as it was typed, and the form by which addresses are equal; both null where it was
    -- made by an account's id.
    email text,
    email_key text,
    created_at bigint not null,
    check ((email is null) = (email_key is null)),
    check (email is not null or user_id is not null)
);
create unique index grants_by_address on grants (video_id, email_key);
create unique index grants_by_id on grants (video_id, user_id) where email_key is null;
create index grants_of_user on grants (user_id, video_id);
