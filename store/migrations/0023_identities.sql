-- Identities: accounts at an OpenID provider that sign in to accounts here.
create table identities (
    issuer text not null,
    -- The person at that provider, whose name and address may change.
    subject text not null,
    user_id text not null references users (id) on delete cascade,
    created_at bigint not null,
    primary key (issuer, subject),
    unique (user_id, issuer)
);
