-- Whether these event ids are stored: outcome is null when none is, `replayed` when all are in this
-- stream (with version, positions and time of then), else `duplicate`. Takes no locks.
CREATE OR REPLACE FUNCTION events_find_replay(
    p_aggregate_type text,
    p_aggregate_id text,
    p_events jsonb,
    OUT outcome text,
    OUT stream_version bigint,
    OUT positions bigint[],
    OUT stored_at timestamptz
) LANGUAGE sql STABLE AS $$
    SELECT
        CASE
            WHEN count(*) = 0 THEN NULL
            WHEN count(*) FILTER (
                WHERE aggregate_type = p_aggregate_type AND aggregate_id = p_aggregate_id
            ) = jsonb_array_length(p_events) THEN 'replayed'
            ELSE 'duplicate'
        END,
        max(sequence_number),
        array_agg(position ORDER BY sequence_number),
        max(recorded_at)
    FROM events
    -- An array, for which the planner expects few rows and takes the index.
    WHERE event_id = ANY (
        ARRAY(SELECT (e ->> 'event_id')::uuid FROM jsonb_array_elements(p_events) AS e)
    )
$$;
