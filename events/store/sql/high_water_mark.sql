-- The position up to which the log is final: each event up to it is visible to the next statement,
-- or will never exist. Stalls only behind appends in flight, not behind other transactions.
--
-- The order matters. The last position drawn is read first; an append that announces itself after
-- the locks were looked at draws higher positions than that. The caller must read the events in a
-- later statement, with a newer snapshot: so only under READ COMMITTED. The caller's own appends
-- don't hold it back, it sees its own events.
-- On a standby pg_locks does not show the primary's locks.
CREATE OR REPLACE FUNCTION events_high_water_mark() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    log CONSTANT oid := 'events_position_seq'::regclass;
    space CONSTANT bigint := events_lock_space(log);
    drawn bigint;
    announced bigint;
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = 'this server is a standby';
    END IF;
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE object_not_in_prerequisite_state
        USING MESSAGE = 'the transaction is not READ COMMITTED';
    END IF;
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO drawn FROM events_position_seq;
    -- A key of 64 bits is split: classid holds the high 32, objid the low 32, objsubid is 1.
    SELECT min((classid::bigint & 65535) << 32 | objid::bigint) INTO announced
    FROM pg_locks
    WHERE locktype = 'advisory'
        AND mode = 'ShareLock'
        AND objsubid = 1
        AND classid::bigint >> 16 = space
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND pid IS DISTINCT FROM pg_backend_pid(); -- null: a prepared transaction
    RETURN least(drawn, announced);
END $$;
