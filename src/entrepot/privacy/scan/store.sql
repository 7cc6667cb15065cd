-- name: tables
-- Every table that holds rows, of whichever schema.
SELECT n.nspname AS schema, c.relname AS table FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY 1, 2;

-- name: has_keys
-- Whether this database has persons' keys at all.
SELECT to_regclass('privacy.person_key');

-- name: keys
-- How many of these subjects have a key that is not destroyed.
SELECT count(*) FROM privacy.person_key WHERE subject::text = ANY ($1::text[]) AND wrapped IS NOT NULL;
