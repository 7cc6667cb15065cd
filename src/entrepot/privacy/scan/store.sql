-- name: tables
-- Every table of whichever schema, a partitioned one as a whole, and whether we may read it.
SELECT n.nspname || '.' || c.relname AS name, c.oid::regclass::text AS quoted, has_table_privilege(c.oid, 'SELECT') AS readable
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
ORDER BY 1, 2;

-- name: rows
-- Every row of a table.
SELECT * FROM {table};

-- name: has_keys
-- Whether this database has persons' keys at all.
SELECT to_regclass('privacy.person_key');

-- name: keys
-- How many of these subjects have a key that is not destroyed.
SELECT count(*) FROM privacy.person_key WHERE subject::text = ANY ($1::text[]) AND wrapped IS NOT NULL;
