-- An entry names everybody of whom an answer tells: a page of orders shows the data of as many people as have placed them.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Those beyond `subject`, in the order in which the answer names them; NULL where there are none.
ALTER TABLE audit.entry ADD COLUMN others uuid[];

-- An entry without others is hashed as it always was, so that what is linked already stays proved.
CREATE OR REPLACE FUNCTION audit.entry_hash(e audit.entry) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT sha256(convert_to(
        CASE WHEN e.others IS NULL THEN json_build_array(
            'entry', e.cell, e.id, e.seq, e.txid::text::bigint, e.at, e.class, e.actor, e.action, e.object, e.subject,
            e.network, e.agent, e.why, e.status, e.problem
        ) ELSE json_build_array(
            'entry', e.cell, e.id, e.seq, e.txid::text::bigint, e.at, e.class, e.actor, e.action, e.object, e.subject,
            e.network, e.agent, e.why, e.status, e.problem, array_to_string(e.others, ' ')
        ) END::text, 'UTF8'))
$$;

-- Makes the entries' partitions, one a day. TRUNCATE names a table, so each of them needs a trigger of its own against it. Days that
-- are over, and get no entry any more, get the indexes by which entries are looked for; the others are read through.
CREATE OR REPLACE FUNCTION audit.ensure_partitions(first timestamptz, last timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    made CONSTANT integer := log.ensure_partitions('audit.entry', 'day', first, last);
    part record;
BEGIN
    FOR part IN
        SELECT c.oid::regclass AS name, c.relname,
               EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgrelid = c.oid AND t.tgname = 'entry_is_not_emptied') AS kept,
               c.relname < 'entry_' || to_char(first AT TIME ZONE 'UTC', 'YYYYMMDD')
                   AND to_regclass('audit.' || c.relname || '_others') IS NULL AS over
        FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'audit.entry'::regclass
    LOOP
        IF NOT part.kept THEN
            EXECUTE format('CREATE TRIGGER entry_is_not_emptied BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse()', part.name);
            EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM CURRENT_USER', part.name);
        END IF;
        IF part.over THEN
            EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %s (subject, id) WHERE subject IS NOT NULL', part.relname || '_subject', part.name);
            EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %s (actor, id)', part.relname || '_actor', part.name);
            EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %s (object, id) WHERE object <> %L', part.relname || '_object', part.name, '');
            EXECUTE format('CREATE INDEX %I ON %s USING gin (others) WHERE others IS NOT NULL', part.relname || '_others', part.name);
        END IF;
    END LOOP;
    RETURN made;
END
$$;
