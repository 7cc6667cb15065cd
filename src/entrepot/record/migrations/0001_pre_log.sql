-- The log: events in commit order, what has answered which idempotency key, and how far the projections are.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA log;

CREATE SEQUENCE log.event_seq AS bigint;

-- The lowest UUIDv7 of a moment: the bound of a time partition (see docs/decisions/0002).
CREATE FUNCTION log.uuid_at(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

CREATE TABLE log.event (
    cell integer NOT NULL,
    id uuid NOT NULL,
    seq bigint NOT NULL DEFAULT nextval('log.event_seq'),
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at bigint NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL,
    sealed bytea,
    subject uuid,
    actor text NOT NULL,
    cause uuid,
    CONSTRAINT event_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT event_version_counts_from_one CHECK (version >= 1)
) PARTITION BY RANGE (id);

CREATE INDEX event_in_commit_order ON log.event (cell, txid, seq);

-- Which part of the keys a key belongs to; readers that have the hash compute the same (entrepot.log.reader).
CREATE FUNCTION log.shard_of(key text, shards integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT mod(mod(hashtextextended(key, 0), shards) + shards, shards)::integer
$$;

CREATE TABLE log.idempotency (
    cell integer NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    event_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    answer jsonb,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_answer_per_key PRIMARY KEY (cell, key)
) PARTITION BY HASH (key);

CREATE TABLE log.projection (
    name text NOT NULL,
    live integer,
    CONSTRAINT projection_name_is_unique PRIMARY KEY (name)
);

-- `shards` belongs to the generation: a changed setting counts from the next rebuild on, so that no key ever has two writers.
CREATE TABLE log.generation (
    projection text NOT NULL,
    generation integer NOT NULL,
    version integer NOT NULL,
    shards integer NOT NULL,
    state text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    live_at timestamptz,
    retired_at timestamptz,
    CONSTRAINT generation_is_unique PRIMARY KEY (projection, generation),
    CONSTRAINT generation_state_is_known CHECK (state IN ('building', 'live', 'retired', 'dropped')),
    CONSTRAINT generation_of_a_projection FOREIGN KEY (projection) REFERENCES log.projection (name)
);

CREATE UNIQUE INDEX one_building_generation_per_projection ON log.generation (projection) WHERE state = 'building';

-- What the writer of a slot last reported. The position that counts is the one stored with the data; this one may be read by all.
-- `passed` is the `seq` of the last event read, `stamp` its time; both are for lag and progress.
CREATE TABLE log.progress (
    projection text NOT NULL,
    generation integer NOT NULL,
    cell integer NOT NULL,
    shard integer NOT NULL,
    txid bigint NOT NULL,
    seq bigint NOT NULL,
    passed bigint NOT NULL,
    stamp bigint NOT NULL,
    events bigint NOT NULL,
    items bigint NOT NULL,
    rate double precision NOT NULL,
    error text,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT progress_per_slot PRIMARY KEY (projection, generation, cell, shard)
) WITH (fillfactor = 50);

CREATE TABLE log.lease (
    name text NOT NULL,
    holder text NOT NULL,
    fence bigint NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT one_holder_per_lease PRIMARY KEY (name)
);

-- Events that a generation could not take (`error`), and those of the same key that wait behind them.
CREATE TABLE log.quarantine (
    projection text NOT NULL,
    generation integer NOT NULL,
    cell integer NOT NULL,
    shard integer NOT NULL,
    key text NOT NULL,
    event_id uuid NOT NULL,
    txid bigint NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL,
    error text,
    replay boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT event_is_quarantined_once PRIMARY KEY (projection, generation, cell, event_id)
);

CREATE INDEX quarantine_in_log_order ON log.quarantine (projection, generation, cell, shard, txid, seq);

CREATE TABLE log.archive (
    cell integer NOT NULL,
    partition text NOT NULL,
    object text NOT NULL,
    rows bigint NOT NULL,
    first_txid bigint NOT NULL,
    first_seq bigint NOT NULL,
    last_txid bigint NOT NULL,
    last_seq bigint NOT NULL,
    sha256 text NOT NULL,
    bytes bigint NOT NULL,
    dropped boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT archive_holds_a_partition_once PRIMARY KEY (cell, partition)
);

CREATE TABLE log.verification (
    id bigint GENERATED ALWAYS AS IDENTITY,
    projection text NOT NULL,
    generation integer NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    checked bigint NOT NULL,
    differing bigint NOT NULL,
    repaired bigint NOT NULL,
    seconds double precision NOT NULL,
    report jsonb NOT NULL,
    CONSTRAINT verification_id_is_unique PRIMARY KEY (id)
);

CREATE INDEX verification_newest_first ON log.verification (projection, id DESC);

-- Makes the partitions of a table whose key is a UUIDv7, one per `step`, from `first` up to and with the one of `last`.
-- Each is built beside its parent and attached, which waits for nobody who reads or writes.
CREATE FUNCTION log.ensure_partitions(parent regclass, step text, first timestamptz, last timestamptz) RETURNS integer
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
            IF to_regclass(format('%I.%I', parent_schema, child)) IS NULL THEN
                EXECUTE format('CREATE TABLE %I.%I (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', parent_schema, child, parent);
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

-- Makes the hash partitions of a table that grows with the catalogue and does not age.
CREATE FUNCTION log.make_hash_partitions(parent regclass, parts integer, fillfactor integer) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    FOR part IN 0 .. parts - 1 LOOP
        EXECUTE format('CREATE TABLE %s PARTITION OF %s FOR VALUES WITH (MODULUS %s, REMAINDER %s) WITH (fillfactor = %s)',
                       parent::text || '_' || part, parent, parts, part, fillfactor);
    END LOOP;
END
$$;

DO $$
BEGIN
    PERFORM log.make_hash_partitions('log.idempotency', 8, 100);
END
$$;
