-- Links to mailboxes that no administrator has made: 'invited_by' is null. They prove that somebody reads an address, before an
-- account gets it.
-- The account that the address is for; null: one that is to be made.
alter table invitations add column user_id text references users (id) on delete cascade;
-- The address as it was typed, where it is for an account that there is.
alter table invitations add column address text;
create index invitations_of_user on invitations (user_id) where user_id is not null;
create index invitations_of_address on invitations (email) where invited_by is null;
