-- Tells readers that positions are about to be drawn, until the end of the transaction.
--
-- Reads the last position drawn, L, and then takes a shared advisory lock whose key holds L. Every
-- position that this transaction draws afterwards is greater than L, so L is final as long as
-- the lock is seen (events_high_water_mark). The lock is shared: appends never wait for each other.
--
-- Once a transaction is enough, because its first L is its lowest; a lock for each of thousands of
-- appends would fill the server's lock table. The setting is local: a savepoint that is rolled back
-- takes the lock and the note of it away together.
CREATE OR REPLACE FUNCTION events_announce_append() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    log CONSTANT oid := 'events_position_seq'::regclass;
BEGIN
    IF current_setting('events.announced', true) IS DISTINCT FROM log::text THEN
        PERFORM pg_advisory_xact_lock_shared(
            events_lock_space(log) << 48 | CASE WHEN is_called THEN last_value ELSE 0 END
        ) FROM events_position_seq;
        PERFORM set_config('events.announced', log::text, true);
    END IF;
END $$;
