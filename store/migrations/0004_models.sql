-- What transcribers have read in their models' files, so that an origin, which has no model, can tell what is wrong at once.
create table models (
    -- As a wish names it; empty is the one that is used where none is named.
    name text primary key,
    -- Codes as the model has them, apart by a space.
    languages text not null
);
