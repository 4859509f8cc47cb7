-- The log, and that of operators, are append-only for everyone who comes through this database.
-- TRUNCATE stays possible for its owner: test frameworks empty tables with it.
CREATE OR REPLACE FUNCTION events_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE restrict_violation USING
        MESSAGE = format('%s is append-only: %s refused', TG_TABLE_NAME, TG_OP),
        HINT = 'What is stored stays: add what corrects it.';
END $$;
