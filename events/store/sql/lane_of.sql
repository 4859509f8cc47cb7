-- Which of p_lanes shares of all streams this one belongs to, from 0. The same for a stream for ever,
-- in any version of PostgreSQL, as in `lane_of` of `store/reading.py`.
CREATE OR REPLACE FUNCTION events_lane_of(
    p_aggregate_type text, p_aggregate_id text, p_lanes integer
) RETURNS integer LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || left(md5(p_aggregate_type || '-' || p_aggregate_id), 7))::bit(28)::integer % p_lanes
$$;
