-- The audit: who did what and who saw whom, append-only, and the chain that shows when somebody changed it all the same.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA audit;

CREATE SEQUENCE audit.entry_seq AS bigint;

-- One answer that was given: to a command, or to a read of personal data. `id` is that of the request; events that it caused
-- carry it as their `cause`. `object` is what the address names, parts joined by a slash; `network` is no whole address.
CREATE TABLE audit.entry (
    cell integer NOT NULL,
    id uuid NOT NULL,
    seq bigint NOT NULL DEFAULT nextval('audit.entry_seq'),
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at bigint NOT NULL,
    class text NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object text COLLATE "C" NOT NULL,
    subject uuid,
    network text NOT NULL,
    agent text NOT NULL,
    why text NOT NULL,
    status integer NOT NULL,
    problem text NOT NULL,
    CONSTRAINT entry_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT entry_class_is_known CHECK (class IN ('command', 'read', 'proof'))
) PARTITION BY RANGE (id);

CREATE INDEX entry_in_commit_order ON audit.entry (cell, txid, seq);
CREATE INDEX entries_about_a_person ON audit.entry (subject, id) WHERE subject IS NOT NULL;
CREATE INDEX entries_of_an_actor ON audit.entry (actor, id);
CREATE INDEX entries_about_an_object ON audit.entry (object, id) WHERE object <> '';

-- The chain: each link holds the id and the hash of the rows of one source that were committed since the link of that source
-- before it (`rows`, 16 and 32 bytes each, in commit order), and the hash of the link before it.
CREATE TABLE audit.link (
    cell integer NOT NULL,
    place bigint NOT NULL,
    source text NOT NULL,
    last_txid bigint NOT NULL,
    last_seq bigint NOT NULL,
    at bigint NOT NULL,
    rows bytea NOT NULL,
    previous bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT link_place_is_unique PRIMARY KEY (cell, place),
    CONSTRAINT link_place_counts_from_one CHECK (place >= 1),
    CONSTRAINT link_source_is_known CHECK (source IN ('entry', 'event')),
    CONSTRAINT link_holds_whole_rows CHECK (length(rows) > 0 AND length(rows) % 48 = 0)
);

ALTER TABLE audit.link ALTER COLUMN rows SET STORAGE EXTERNAL;

-- Where the chain of a cell ends and how far each source is linked; whoever links holds this row.
CREATE TABLE audit.head (
    cell integer NOT NULL,
    place bigint NOT NULL,
    hash bytea NOT NULL,
    entry_txid xid8 NOT NULL,
    entry_seq bigint NOT NULL,
    event_txid xid8 NOT NULL,
    event_seq bigint NOT NULL,
    CONSTRAINT one_head_per_chain PRIMARY KEY (cell)
) WITH (fillfactor = 50);

-- The roots that were published, as they were published: the copy that counts is the one in object storage.
CREATE TABLE audit.root (
    cell integer NOT NULL,
    number bigint NOT NULL,
    last_place bigint NOT NULL,
    at bigint NOT NULL,
    object text NOT NULL,
    document text NOT NULL,
    locked boolean NOT NULL,
    CONSTRAINT root_number_is_unique PRIMARY KEY (cell, number)
);

-- The key that signs roots, closed under the keyring's.
CREATE TABLE audit.signing_key (
    public bytea NOT NULL,
    wrapped_by text NOT NULL,
    wrapped bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT signing_key_is_unique PRIMARY KEY (public)
);

-- The entries that are in object storage: of each partition one object for each class, since classes are kept for different times.
CREATE TABLE audit.archive (
    cell integer NOT NULL,
    partition text NOT NULL,
    class text NOT NULL,
    object text NOT NULL,
    rows bigint NOT NULL,
    first_txid bigint NOT NULL,
    first_seq bigint NOT NULL,
    last_txid bigint NOT NULL,
    last_seq bigint NOT NULL,
    sha256 text NOT NULL,
    dropped boolean NOT NULL DEFAULT false,
    retired boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT archive_holds_a_class_once PRIMARY KEY (cell, partition, class)
);

-- What is hashed of a row: its columns as a JSON array, which `entrepot.audit.rules` builds again without the database's help.
CREATE FUNCTION audit.entry_hash(e audit.entry) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(json_build_array(
        'entry', e.cell, e.id, e.seq, e.txid::text::bigint, e.at, e.class, e.actor, e.action, e.object, e.subject,
        e.network, e.agent, e.why, e.status, e.problem
    )::text, 'UTF8'))
$$;

CREATE FUNCTION audit.event_hash(e log.event) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(json_build_array(
        'event', e.cell, e.id, e.seq, e.txid::text::bigint, e.at, e.kind, e.key, e.version, e.body::text,
        encode(e.sealed, 'hex'), e.subject, e.actor, e.cause
    )::text, 'UTF8'))
$$;

CREATE FUNCTION audit.link_hash(
    cell integer, place bigint, source text, last_txid bigint, last_seq bigint, at bigint, previous bytea, rows bytea
) RETURNS bytea
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT sha256(convert_to(json_build_array(
        'link', cell, place, source, last_txid, last_seq, at, encode(previous, 'hex')
    )::text, 'UTF8') || rows)
$$;

-- Adds one link to a cell's chain: the next rows of a source in commit order, below the oldest open transaction, as many as
-- `rows_max`. Returns how many it took. The lock on the head makes two who link at once take turns.
CREATE FUNCTION audit.link_next(in_cell integer, in_source text, stamp bigint, rows_max integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    tip audit.head;
    taken record;
    new_hash bytea;
BEGIN
    INSERT INTO audit.head (cell, place, hash, entry_txid, entry_seq, event_txid, event_seq)
    VALUES (in_cell, 0, ''::bytea, '0'::xid8, -1, '0'::xid8, -1)
    ON CONFLICT (cell) DO NOTHING;
    SELECT * INTO tip FROM audit.head WHERE cell = in_cell FOR UPDATE;

    IF in_source = 'entry' THEN
        SELECT count(*) AS many, string_agg(uuid_send(s.id) || s.hash, ''::bytea ORDER BY s.txid, s.seq) AS rows,
               max(s.txid) AS txid, (array_agg(s.seq ORDER BY s.txid DESC, s.seq DESC))[1] AS seq
        INTO taken
        FROM (
            SELECT e.id, e.txid, e.seq, audit.entry_hash(e) AS hash FROM audit.entry AS e
            WHERE e.cell = in_cell AND (e.txid, e.seq) > (tip.entry_txid, tip.entry_seq)
                AND e.txid < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
            ORDER BY e.txid, e.seq
            LIMIT rows_max
        ) AS s;
    ELSE
        SELECT count(*) AS many, string_agg(uuid_send(s.id) || s.hash, ''::bytea ORDER BY s.txid, s.seq) AS rows,
               max(s.txid) AS txid, (array_agg(s.seq ORDER BY s.txid DESC, s.seq DESC))[1] AS seq
        INTO taken
        FROM (
            SELECT e.id, e.txid, e.seq, audit.event_hash(e) AS hash FROM log.event AS e
            WHERE e.cell = in_cell AND (e.txid, e.seq) > (tip.event_txid, tip.event_seq)
                AND e.txid < (SELECT pg_snapshot_xmin(pg_current_snapshot()))
            ORDER BY e.txid, e.seq
            LIMIT rows_max
        ) AS s;
    END IF;
    IF taken.many = 0 THEN
        RETURN 0;
    END IF;

    new_hash := audit.link_hash(in_cell, tip.place + 1, in_source, taken.txid::text::bigint, taken.seq, stamp, tip.hash, taken.rows);
    INSERT INTO audit.link (cell, place, source, last_txid, last_seq, at, rows, previous, hash)
    VALUES (in_cell, tip.place + 1, in_source, taken.txid::text::bigint, taken.seq, stamp, taken.rows, tip.hash, new_hash);
    UPDATE audit.head
    SET place = tip.place + 1, hash = new_hash,
        entry_txid = CASE WHEN in_source = 'entry' THEN taken.txid ELSE entry_txid END,
        entry_seq = CASE WHEN in_source = 'entry' THEN taken.seq ELSE entry_seq END,
        event_txid = CASE WHEN in_source = 'event' THEN taken.txid ELSE event_txid END,
        event_seq = CASE WHEN in_source = 'event' THEN taken.seq ELSE event_seq END
    WHERE cell = in_cell;
    RETURN taken.many;
END
$$;

-- What was written stays as it was written: refused to everybody, the owner too. A superuser can drop the triggers; the chain
-- is there to show what he did then.
CREATE FUNCTION audit.refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER entry_is_append_only BEFORE UPDATE OR DELETE ON audit.entry FOR EACH ROW EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER entry_is_not_emptied BEFORE TRUNCATE ON audit.entry FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER link_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.link
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();
CREATE TRIGGER root_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit.root
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();

REVOKE ALL ON ALL TABLES IN SCHEMA audit FROM PUBLIC;
REVOKE UPDATE, DELETE, TRUNCATE ON audit.entry, audit.link, audit.root FROM CURRENT_USER;

-- Makes the entries' partitions, one a day. TRUNCATE names a table, so each of them needs a trigger of its own against it.
CREATE FUNCTION audit.ensure_partitions(first timestamptz, last timestamptz) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    made CONSTANT integer := log.ensure_partitions('audit.entry', 'day', first, last);
    part regclass;
BEGIN
    FOR part IN
        SELECT i.inhrelid FROM pg_inherits AS i
        WHERE i.inhparent = 'audit.entry'::regclass AND NOT EXISTS (
            SELECT FROM pg_trigger AS t WHERE t.tgrelid = i.inhrelid AND t.tgname = 'entry_is_not_emptied'
        )
    LOOP
        EXECUTE format('CREATE TRIGGER entry_is_not_emptied BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse()', part);
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM CURRENT_USER', part);
    END LOOP;
    RETURN made;
END
$$;
