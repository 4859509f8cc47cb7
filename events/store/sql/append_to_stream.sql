-- Appends events to one stream and says what happened:
--   appended   stored; version and positions are the new ones
--   replayed   the same event ids were stored before, in this stream; version and positions are theirs
--   conflict   the stream is not at the expected version; version is the actual one
--   duplicate  some of the event ids are taken, but not as a whole by this stream
-- But in the first case nothing is written, and the caller's transaction can go on.
--
-- p_expected: a version from 0, or -1 no stream, -2 any, -4 stream exists.
-- p_events: array of {event_id, event_type, event_version, event_data, metadata, occurred_on}.
--
-- Locks until the end of the transaction: the stream's row in aggregate_versions, then the shared
-- advisory lock of events_announce_append. In this order: an append that waits for its stream has
-- drawn no positions yet and holds up no reader.
CREATE OR REPLACE FUNCTION events_append_to_stream(
    p_aggregate_type text,
    p_aggregate_id text,
    p_expected bigint,
    p_events jsonb,
    OUT outcome text,
    OUT stream_version bigint,
    OUT positions bigint[],
    OUT stored_at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    added CONSTANT bigint := jsonb_array_length(p_events);
    seen bigint;
BEGIN
    stored_at := clock_timestamp();

    IF p_expected = -1 THEN
        -- A row at -1 is a stream that events_append_to_streams has locked but not written yet.
        INSERT INTO aggregate_versions AS stream
            (aggregate_type, aggregate_id, version, created_at, updated_at)
        VALUES (p_aggregate_type, p_aggregate_id, added - 1, stored_at, stored_at)
        ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE
            SET version = added - 1, updated_at = stored_at
            WHERE stream.version = -1
        RETURNING version INTO stream_version;
    ELSIF p_expected = -2 THEN
        INSERT INTO aggregate_versions
            (aggregate_type, aggregate_id, version, created_at, updated_at)
        VALUES (p_aggregate_type, p_aggregate_id, added - 1, stored_at, stored_at)
        ON CONFLICT (aggregate_type, aggregate_id) DO NOTHING
        RETURNING version INTO stream_version;
    END IF;

    IF stream_version IS NULL AND p_expected <> -1 THEN
        seen := p_expected;
        IF p_expected < 0 THEN
            -- No version to compare with: queue for the stream, and see whether the ids are known.
            SELECT version INTO seen
            FROM aggregate_versions
            WHERE aggregate_type = p_aggregate_type AND aggregate_id = p_aggregate_id
            FOR UPDATE;
            SELECT * INTO outcome, stream_version, positions, stored_at
            FROM events_find_replay(p_aggregate_type, p_aggregate_id, p_events);
            IF outcome IS NOT NULL THEN
                RETURN;
            END IF;
            stored_at := clock_timestamp();
        END IF;
        UPDATE aggregate_versions
        SET version = version + added, updated_at = stored_at
        WHERE aggregate_type = p_aggregate_type
            AND aggregate_id = p_aggregate_id
            AND version = seen
            AND (p_expected <> -4 OR version >= 0)
        RETURNING version INTO stream_version;
    END IF;

    IF stream_version IS NULL THEN
        -- The version can be another because this very append succeeded before.
        SELECT * INTO outcome, stream_version, positions, stored_at
        FROM events_find_replay(p_aggregate_type, p_aggregate_id, p_events);
        IF outcome IS NULL THEN
            outcome := 'conflict';
            SELECT version INTO stream_version
            FROM aggregate_versions
            WHERE aggregate_type = p_aggregate_type AND aggregate_id = p_aggregate_id;
            stream_version := coalesce(stream_version, -1);
        END IF;
        RETURN;
    END IF;

    PERFORM events_announce_append();
    WITH inserted AS (
        INSERT INTO events (
            event_id, aggregate_id, aggregate_type, event_type, event_version, sequence_number,
            event_data, metadata, correlation_id, causation_id, occurred_on, recorded_at
        )
        SELECT
            event_id, p_aggregate_id, p_aggregate_type, event_type, event_version,
            stream_version - added + ordinal,
            event_data, metadata, metadata ->> 'correlation_id', metadata ->> 'causation_id',
            occurred_on, stored_at
        FROM ROWS FROM (
            jsonb_to_recordset(p_events) AS (
                event_id uuid, event_type text, event_version integer,
                event_data jsonb, metadata jsonb, occurred_on timestamptz
            )
        ) WITH ORDINALITY AS e (
            event_id, event_type, event_version, event_data, metadata, occurred_on, ordinal
        )
        RETURNING position, sequence_number
    )
    SELECT array_agg(position ORDER BY sequence_number) INTO positions FROM inserted;
    outcome := 'appended';
END $$;
