-- Moves a stream back to where it was before an append that turned out to be a replay.
-- Its row is locked by this transaction already.
CREATE OR REPLACE FUNCTION events_take_back(
    p_aggregate_type text, p_aggregate_id text, p_added bigint
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE aggregate_versions AS stream
    SET version = version - p_added,
        updated_at = coalesce(
            (
                SELECT recorded_at
                FROM events
                WHERE aggregate_type = p_aggregate_type
                    AND aggregate_id = p_aggregate_id
                    AND sequence_number = stream.version - p_added
            ),
            updated_at
        )
    WHERE aggregate_type = p_aggregate_type AND aggregate_id = p_aggregate_id;
    -- A stream without events has no row.
    DELETE FROM aggregate_versions
    WHERE aggregate_type = p_aggregate_type AND aggregate_id = p_aggregate_id AND version = -1;
END $$;
