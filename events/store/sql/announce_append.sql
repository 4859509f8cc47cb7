-- Tells readers that positions are about to be drawn, until the end of the transaction.
--
-- Reads the last position drawn, L, and then takes a shared advisory lock whose key holds L. Every
-- position that this transaction draws afterwards is greater than L, so L is final as long as
-- the lock is seen (events_high_water_mark). The lock is shared: appends never wait for each other.
--
-- p_alone: whether the transaction has no other append; it needs no note then.
--
-- Once a transaction is enough, because its first L is its lowest; a lock for each of thousands of
-- appends would fill the server's lock table. The setting is local: a savepoint that is rolled back
-- takes the lock and the note of it away together.
CREATE OR REPLACE FUNCTION events_announce_append(p_alone boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    log CONSTANT oid := 'events_position_seq'::regclass;
BEGIN
    IF NOT p_alone THEN
        IF current_setting('events.announced', true) = log::text THEN
            RETURN;
        END IF;
        PERFORM set_config('events.announced', log::text, true);
    END IF;
    -- Null before the first position is drawn.
    PERFORM pg_advisory_xact_lock_shared(
        events_lock_space(log) << 48 | coalesce(pg_sequence_last_value(log), 0)
    );
END $$;
