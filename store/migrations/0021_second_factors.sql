-- Second factors: codes of an app on a person's phone (TOTP, RFC 6238), and the codes for when it is lost.
create table second_factors (
    user_id text primary key references users (id) on delete cascade,
    -- What the app and the server share, in base 32 and as it is: codes are worked out from it.
    secret text not null,
    -- Null until a first code has shown that the app has it; until then nobody is asked for one.
    confirmed_at bigint,
    -- The step of 30 s whose code was taken last: an older one is not taken any more, nor the same again.
    last_step bigint not null default 0,
    created_at bigint not null
);

-- Each is taken once.
create table recovery_codes (
    user_id text not null references users (id) on delete cascade,
    -- SHA-256 of the code, in hexadecimal digits.
    code text not null,
    primary key (user_id, code)
);
