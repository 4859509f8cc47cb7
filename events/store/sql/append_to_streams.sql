-- As events_append_to_stream for several streams, all or none, in the order given.
--
-- p_appends: array of {aggregate_type, aggregate_id, expected, events}.
-- Returns an array with {outcome, stream_version, positions, stored_at} of each append. Where one is
-- refused, only its own, with its index: then nothing is written, and the transaction can go on.
--
-- Locks the rows of all streams first, new ones and then old ones, each in the order of their
-- names: two such appends to the same streams in another order don't deadlock.
CREATE OR REPLACE FUNCTION events_append_to_streams(p_appends jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    append record;
    result record;
    results jsonb := '[]';
    replays bigint := 0;
BEGIN
    INSERT INTO aggregate_versions (aggregate_type, aggregate_id, version, created_at, updated_at)
    SELECT a ->> 'aggregate_type', a ->> 'aggregate_id', -1, clock_timestamp(), clock_timestamp()
    FROM jsonb_array_elements(p_appends) AS a
    ORDER BY 1, 2
    ON CONFLICT (aggregate_type, aggregate_id) DO NOTHING;

    PERFORM 1
    FROM aggregate_versions
    WHERE (aggregate_type, aggregate_id) IN (
        SELECT a ->> 'aggregate_type', a ->> 'aggregate_id' FROM jsonb_array_elements(p_appends) AS a
    )
    ORDER BY aggregate_type, aggregate_id
    FOR UPDATE;

    FOR append IN
        SELECT value AS document, ordinality - 1 AS index
        FROM jsonb_array_elements(p_appends) WITH ORDINALITY
    LOOP
        SELECT append.index, a.* INTO result
        FROM events_append_to_stream(
            append.document ->> 'aggregate_type',
            append.document ->> 'aggregate_id',
            (append.document ->> 'expected')::bigint,
            append.document -> 'events',
            false
        ) AS a;
        IF result.outcome = 'replayed' THEN
            replays := replays + 1;
        END IF;
        IF replays NOT IN (0, append.index + 1) THEN
            result.outcome := 'duplicate'; -- some were stored before, some were not
        END IF;
        IF result.outcome IN ('conflict', 'duplicate') THEN
            RAISE EXCEPTION USING ERRCODE = 'EV001'; -- undoes what this block has written
        END IF;
        results := results || to_jsonb(result);
    END LOOP;
    RETURN results;
EXCEPTION
    WHEN SQLSTATE 'EV001' THEN
        RETURN jsonb_build_array(to_jsonb(result));
END $$;
