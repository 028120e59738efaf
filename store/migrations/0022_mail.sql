-- Mail that is to be sent, by any process with accounts. There is no text in it: the secret of a link is made when it is sent,
-- so that nobody who reads the table can use one.
create table mails (
    id text primary key,
    -- 'reset': to set a forgotten password. Its address may have no account; then nothing is sent, which whoever asked for it
    -- does not learn.
    kind text not null check (kind in ('reset', 'invitation')),
    -- As it was typed, and the form by which addresses are equal.
    address text not null,
    address_key text not null,
    invitation_id text references invitations (id) on delete cascade,
    created_at bigint not null,
    attempts bigint not null default 0,
    not_before bigint not null,
    -- Who sends it, and until when the others leave it alone.
    lease_owner text,
    lease_until bigint,
    check ((kind = 'invitation') = (invitation_id is not null)),
    check ((lease_owner is null) = (lease_until is null))
);
create index mails_due on mails (not_before, id);

-- Links by which a person who has forgotten their password sets a new one, once.
create table password_resets (
    -- SHA-256 of the link's key, in hexadecimal digits.
    secret text primary key,
    user_id text not null references users (id) on delete cascade,
    expires_at bigint not null
);
create index password_resets_of_user on password_resets (user_id);
