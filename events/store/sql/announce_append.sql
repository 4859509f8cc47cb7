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
--
-- Always true. One expression, so that it is inlined where it is called: a function of plpgsql costs
-- as much as a tenth of an append.
CREATE OR REPLACE FUNCTION events_announce_append(p_alone boolean) RETURNS boolean
LANGUAGE sql AS $$
    SELECT CASE
        WHEN NOT p_alone
            AND current_setting('events.announced', true) = 'events_position_seq'::regclass::oid::text
        THEN true
        ELSE (
            p_alone
            OR set_config('events.announced', 'events_position_seq'::regclass::oid::text, true) <> ''
        ) AND pg_advisory_xact_lock_shared(
            events_lock_space('events_position_seq'::regclass) << 48
            -- Null before the first position is drawn.
            | coalesce(pg_sequence_last_value('events_position_seq'::regclass), 0)
        ) IS NOT NULL
    END
$$;
