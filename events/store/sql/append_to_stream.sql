-- Appends events to one stream and says what happened:
--   appended   stored; version and positions are the new ones
--   replayed   the same event ids were stored before, in this stream; version and positions are theirs
--   conflict   the stream is not at the expected version; version is the actual one
--   duplicate  some of the event ids are taken, but not as a whole by this stream
-- But in the first case nothing is written, and the caller's transaction can go on. Where only some of
-- the ids are taken and the version is as expected, it raises unique_violation instead.
--
-- p_expected: a version from 0, or -1 no stream, -2 any, -4 stream exists.
-- p_events: array of {event_id, event_type, event_version, event_data, metadata, occurred_on}.
-- p_alone: whether the transaction consists of this call.
--
-- Locks until the end of the transaction: the stream's row in aggregate_versions, then the shared
-- advisory lock of events_announce_append. In this order: an append that waits for its stream has
-- drawn no positions yet and holds up no reader.
CREATE OR REPLACE FUNCTION events_append_to_stream(
    p_aggregate_type text,
    p_aggregate_id text,
    p_expected bigint,
    p_events jsonb,
    p_alone boolean,
    OUT outcome text,
    OUT stream_version bigint,
    OUT positions bigint[],
    OUT stored_at timestamptz
) LANGUAGE plpgsql AS $$
DECLARE
    added CONSTANT bigint := jsonb_array_length(p_events);
BEGIN
    -- The time is taken when the stream's row is locked, not before a wait for it.
    IF p_expected >= 0 OR p_expected = -4 THEN
        UPDATE aggregate_versions
        SET version = version + added, updated_at = clock_timestamp()
        WHERE aggregate_type = p_aggregate_type
            AND aggregate_id = p_aggregate_id
            AND (version = p_expected OR (p_expected = -4 AND version >= 0))
        RETURNING version, updated_at INTO stream_version, stored_at;
    ELSE
        -- A row at -1 is a stream that events_append_to_streams has locked but not written yet.
        INSERT INTO aggregate_versions AS stream
            (aggregate_type, aggregate_id, version, created_at, updated_at)
        VALUES (
            p_aggregate_type, p_aggregate_id, added - 1, clock_timestamp(), clock_timestamp()
        )
        ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE
            SET version = stream.version + added, updated_at = clock_timestamp()
            WHERE p_expected = -2 OR stream.version = -1
        RETURNING version, updated_at INTO stream_version, stored_at;
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

    IF added = 1 THEN -- the same as below, without the cost of a set
        INSERT INTO events (
            event_id, aggregate_id, aggregate_type, event_type, event_version, sequence_number,
            event_data, metadata, correlation_id, causation_id, occurred_on, recorded_at
        )
        SELECT
            (p_events #>> '{0,event_id}')::uuid, p_aggregate_id, p_aggregate_type,
            p_events #>> '{0,event_type}', (p_events #>> '{0,event_version}')::integer,
            stream_version,
            p_events #> '{0,event_data}', p_events #> '{0,metadata}',
            p_events #>> '{0,metadata,correlation_id}', p_events #>> '{0,metadata,causation_id}',
            (p_events #>> '{0,occurred_on}')::timestamptz, stored_at
        WHERE events_announce_append(p_alone) -- comes before the SELECT, which draws the position
        ON CONFLICT (event_id) DO NOTHING
        RETURNING ARRAY[position] INTO positions;
    ELSE
        PERFORM events_announce_append(p_alone);
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
            ON CONFLICT (event_id) DO NOTHING
            RETURNING position, sequence_number
        )
        SELECT array_agg(position ORDER BY sequence_number) INTO positions FROM inserted;
    END IF;

    IF cardinality(positions) = added THEN
        outcome := 'appended';
    ELSIF positions IS NULL THEN
        PERFORM events_take_back(p_aggregate_type, p_aggregate_id, added);
        SELECT * INTO outcome, stream_version, positions, stored_at
        FROM events_find_replay(p_aggregate_type, p_aggregate_id, p_events);
    ELSE
        -- What was inserted can't be deleted: only the end of the transaction takes it back.
        RAISE unique_violation USING
            CONSTRAINT = 'events_event_id',
            MESSAGE = 'some of the event ids are taken',
            DETAIL = format('%s-%s', p_aggregate_type, p_aggregate_id);
    END IF;
END $$;
