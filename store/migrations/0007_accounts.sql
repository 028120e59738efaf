-- Accounts: who may sign in, and whose the videos are.

-- A person. Names and addresses are kept in NFC.
create table users (
    id text primary key,
    name text not null,
    -- As it was typed, to be shown.
    email text not null,
    -- The form by which addresses are equal: compatibility forms resolved, in lower case.
    email_key text not null unique,
    -- The hash in PHC's string format, which names its own parameters.
    password text not null,
    role text not null check (role in ('administrator', 'user')),
    -- A disabled account keeps its videos and cannot sign in.
    disabled boolean not null default false,
    -- Set once its deletion has begun; a sweep takes the videos that are left, and then the row.
    deleted_at bigint,
    created_at bigint not null
);

-- A browser that is signed in.
create table sessions (
    -- Shown in lists; it opens nothing.
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    -- SHA-256 of the cookie's secret, in hexadecimal digits.
    secret text not null unique,
    user_agent text not null,
    created_at bigint not null,
    -- Written at most once a minute.
    last_seen bigint not null,
    -- The absolute end, however often it is used.
    expires_at bigint not null
);
create index sessions_of_user on sessions (user_id);

-- A program's right to act for a person.
create table tokens (
    id text primary key,
    user_id text not null references users (id) on delete cascade,
    name text not null,
    -- SHA-256 of the token, in hexadecimal digits.
    secret text not null unique,
    -- Words with spaces between: read, upload, manage.
    scopes text not null,
    created_at bigint not null,
    -- Null: it never ends by itself.
    expires_at bigint,
    last_used bigint
);
create index tokens_of_user on tokens (user_id);

-- A link by which one person may sign up.
create table invitations (
    id text primary key,
    -- SHA-256 of the link's key, in hexadecimal digits.
    secret text not null unique,
    -- The only address that may use it; null: any.
    email text,
    -- 'administrator' is the first account's, which nobody has invited.
    role text not null check (role in ('administrator', 'user')),
    invited_by text references users (id) on delete cascade,
    created_at bigint not null,
    expires_at bigint not null
);

-- Null: nobody's; administrators alone may change it.
alter table videos add column owner_id text references users (id) on delete set null;
alter table videos add column visibility text not null default 'public'
    check (visibility in ('public', 'unlisted', 'private'));
-- Tickets that end before this second are void. It rises when a video is hidden or a share of it ends.
alter table videos add column tickets_from bigint not null default 0;
create index videos_of_owner on videos (owner_id, created_at desc, id desc);

-- A link that opens one video to everybody who has it.
create table shares (
    id text primary key,
    video_id text not null references videos (id) on delete cascade,
    -- As it is, since the owner may have the link shown again; it opens one video until it is revoked.
    secret text not null unique,
    created_at bigint not null,
    expires_at bigint
);
create index shares_of_video on shares (video_id);
