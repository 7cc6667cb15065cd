-- Entries of long ago leave PostgreSQL: a day goes in one step, once the archive holds every row of it.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Takes a day of entries away that lies in the archive whole, and returns how many they were. Who writes entries waits for a moment,
-- or is not waited for: then it is refused, and tried again later.
CREATE FUNCTION audit.drop_archived(part text) RETURNS bigint
LANGUAGE plpgsql
SET lock_timeout = '300ms' AS $$
DECLARE
    held bigint;
    kept CONSTANT bigint := (SELECT coalesce(sum(a.rows), 0) FROM audit.archive AS a WHERE a.partition = part);
BEGIN
    EXECUTE format('LOCK TABLE audit.%I IN ACCESS EXCLUSIVE MODE', part);
    EXECUTE format('SELECT count(*) FROM audit.%I', part) INTO held;
    IF held <> kept THEN
        RAISE EXCEPTION 'audit.% holds % entries and the archive %: nothing was dropped', part, held, kept;
    END IF;
    EXECUTE format('ALTER TABLE audit.entry DETACH PARTITION audit.%I', part);
    EXECUTE format('DROP TABLE audit.%I', part);
    UPDATE audit.archive SET dropped = true WHERE partition = part;
    RETURN held;
END
$$;
