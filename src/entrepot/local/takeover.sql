-- Gives the database, and everything in it that another user has made, to <owner>.
DO $$
DECLARE
    statement text;
BEGIN
    FOR statement IN
        SELECT format('ALTER DATABASE %I OWNER TO <owner>', datname) FROM pg_database
        WHERE datname = current_database() AND datdba <> '<owner>'::regrole
        UNION ALL
        SELECT format('ALTER SCHEMA %I OWNER TO <owner>', nspname) FROM pg_namespace
        WHERE nspname !~ '^(pg_|information_schema$|public$)' AND nspowner <> '<owner>'::regrole
        UNION ALL
        SELECT format('ALTER %s %s OWNER TO <owner>', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                      c.oid::regclass)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname !~ '^(pg_|information_schema$)' AND c.relkind IN ('r', 'p', 'v', 'S') AND c.relowner <> '<owner>'::regrole
          -- What belongs to an extension, or to a column, goes with it.
          AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                            AND (d.deptype = 'e' OR c.relkind = 'S' AND d.deptype IN ('a', 'i')))
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO <owner>', f.oid::regprocedure)
        FROM pg_proc AS f JOIN pg_namespace AS n ON n.oid = f.pronamespace
        WHERE n.nspname !~ '^(pg_|information_schema$)' AND f.proowner <> '<owner>'::regrole
          AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = f.oid AND d.deptype = 'e')
        UNION ALL
        SELECT format('ALTER TYPE %s OWNER TO <owner>', t.oid::regtype)
        FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace LEFT JOIN pg_class AS c ON c.oid = t.typrelid
        WHERE n.nspname !~ '^(pg_|information_schema$)' AND t.typowner <> '<owner>'::regrole
          AND (t.typtype IN ('e', 'd') OR t.typtype = 'c' AND c.relkind = 'c')
          AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;
