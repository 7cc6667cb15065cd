-- A partition takes over generated columns too: it is built beside its parent, and can only be attached if it has the same.
-- And two processes that start at once on an empty database make each partition once.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Makes the partitions of a table whose key is a UUIDv7, one per `step`, from `first` up to and with the one of `last`.
-- Each is built beside its parent and attached, which waits for nobody who reads or writes.
CREATE OR REPLACE FUNCTION log.ensure_partitions(parent regclass, step text, first timestamptz, last timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    lower_bound timestamptz := date_trunc(step, first, 'UTC');
    upper_bound timestamptz;
    parent_schema text := (SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = parent);
    parent_name text := (SELECT relname FROM pg_class WHERE oid = parent);
    child text;
    made integer := 0;
BEGIN
    WHILE lower_bound <= last LOOP
        upper_bound := lower_bound + ('1 ' || step)::interval;
        child := parent_name || '_' || to_char(lower_bound AT TIME ZONE 'UTC', CASE step WHEN 'month' THEN 'YYYYMM' ELSE 'YYYYMMDD' END);
        IF to_regclass(format('%I.%I', parent_schema, child)) IS NULL THEN
            PERFORM pg_advisory_xact_lock(hashtext('log.ensure_partitions'));
            -- Asked of the table itself: to_regclass may still remember that there was none before we waited for the lock.
            IF NOT EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
                           WHERE n.nspname = parent_schema AND c.relname = child) THEN
                EXECUTE format('CREATE TABLE %I.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED)', parent_schema, child, parent);
                EXECUTE format('ALTER TABLE %s ATTACH PARTITION %I.%I FOR VALUES FROM (%L) TO (%L)', parent, parent_schema, child,
                               log.uuid_at(lower_bound), log.uuid_at(upper_bound));
                made := made + 1;
            END IF;
        END IF;
        lower_bound := upper_bound;
    END LOOP;
    RETURN made;
END
$$;
