-- The high 16 bits of our advisory lock keys: another number for each log in a database (a schema
-- for each tenant, say), never 0, where the small keys of other software are, and never negative.
-- A chance meeting with foreign locks can only hold readers back, not let them miss anything.
CREATE OR REPLACE FUNCTION events_lock_space(log oid) RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT 1 + log::bigint % 32767 $$;
