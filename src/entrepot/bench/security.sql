-- name: policies_off
-- Takes row-level security from every table that has it; that it is forced is remembered.
DO $$
DECLARE
    what regclass;
BEGIN
    FOR what IN SELECT c.oid FROM pg_class AS c WHERE c.relforcerowsecurity LOOP
        EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', what);
    END LOOP;
END
$$;

-- name: policies_on
-- Gives it back.
DO $$
DECLARE
    what regclass;
BEGIN
    FOR what IN SELECT c.oid FROM pg_class AS c WHERE c.relforcerowsecurity LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', what);
    END LOOP;
END
$$;
