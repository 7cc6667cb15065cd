CREATE SCHEMA access;

CREATE SCHEMA aftersale;

CREATE SCHEMA approval;

CREATE SCHEMA audit;

CREATE SCHEMA business;

CREATE SCHEMA catalog;

CREATE SCHEMA checkout;

CREATE SCHEMA closing;

CREATE SCHEMA digital;

CREATE SCHEMA fulfilment;

CREATE SCHEMA identity;

CREATE SCHEMA jobs;

CREATE SCHEMA log;

CREATE SCHEMA marketplace;

CREATE SCHEMA ordering;

CREATE SCHEMA payment;

CREATE SCHEMA pricing;

CREATE SCHEMA privacy;

CREATE SCHEMA promotion;

CREATE SCHEMA shipping;

CREATE SCHEMA stock;

CREATE SCHEMA subscription;

CREATE SCHEMA webhook;

CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public;

COMMENT ON EXTENSION btree_gist IS 'support for indexing common datatypes in GiST';

CREATE TYPE checkout.ended AS (
	place integer,
	state text,
	now_so boolean,
	txid bigint,
	seq bigint
);

CREATE TYPE checkout.outcome AS (
	place integer,
	outcome text,
	order_id uuid,
	line integer,
	available integer,
	txid bigint,
	seq bigint
);

CREATE TYPE checkout.reserved AS (
	place integer,
	outcome text,
	checkout_id uuid,
	line integer,
	claim integer,
	remaining bigint
);

CREATE TYPE ordering.account AS ENUM (
    'receivable',
    'sales',
    'sales_returns',
    'postage',
    'fees',
    'discounts',
    'adjustments',
    'donations',
    'tax',
    'gateway',
    'gateway_fees',
    'seller',
    'commission',
    'supply',
    'bank',
    'disputes',
    'rounding'
);

CREATE FUNCTION access.companies() RETURNS uuid[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (string_to_array(NULLIF(current_setting('entrepot.companies'::text, true), ''::text), ','::text))::uuid[];

CREATE FUNCTION access.protect(what regclass, own text) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', what);
    EXECUTE format('CREATE POLICY platform_sees_every_row ON %s TO entrepot_platform USING (true) WITH CHECK (true)', what);
    EXECUTE format('CREATE POLICY reader_sees_every_row ON %s FOR SELECT TO entrepot_reader USING (true)', what);
    EXECUTE format('CREATE POLICY tenant_sees_some_rows ON %s TO entrepot_tenant USING (true) WITH CHECK (true)', what);
    EXECUTE format('CREATE POLICY tenant_sees_only_its_own ON %s AS RESTRICTIVE TO entrepot_tenant USING (%s) WITH CHECK (%s)',
                   what, own, own);
END
$$;

CREATE FUNCTION access.sellers() RETURNS text[]
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN string_to_array(NULLIF(current_setting('entrepot.sellers'::text, true), ''::text), ','::text);

CREATE FUNCTION audit.drop_archived(part text) RETURNS bigint
    LANGUAGE plpgsql
    SET lock_timeout TO '300ms'
    AS $$
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

CREATE FUNCTION audit.ensure_partitions(first timestamp with time zone, last timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

CREATE SEQUENCE audit.entry_batch_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE audit.entry_batch (
    cell integer NOT NULL,
    seq bigint DEFAULT nextval('audit.entry_batch_seq'::regclass) NOT NULL,
    at bigint NOT NULL,
    placed boolean[] NOT NULL,
    id uuid[] NOT NULL,
    object uuid[] NOT NULL,
    subject uuid[] NOT NULL,
    actor text[] NOT NULL,
    network text[] NOT NULL,
    agent text[] NOT NULL,
    why text[] NOT NULL
);
ALTER TABLE ONLY audit.entry_batch ALTER COLUMN id SET STORAGE EXTERNAL;
ALTER TABLE ONLY audit.entry_batch ALTER COLUMN object SET STORAGE EXTERNAL;
ALTER TABLE ONLY audit.entry_batch ALTER COLUMN subject SET STORAGE EXTERNAL;
ALTER TABLE ONLY audit.entry_batch ALTER COLUMN actor SET STORAGE EXTERNAL;
ALTER TABLE ONLY audit.entry_batch ALTER COLUMN network SET STORAGE EXTERNAL;
ALTER TABLE ONLY audit.entry_batch ALTER COLUMN agent SET STORAGE EXTERNAL;
ALTER TABLE ONLY audit.entry_batch ALTER COLUMN why SET STORAGE EXTERNAL;

CREATE FUNCTION audit.entries_of(b audit.entry_batch) RETURNS TABLE(id uuid, actor text, object text, subject uuid, network text, agent text, why text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT o.id, o.actor, o.object::text, o.subject, o.network, o.agent, o.why
    FROM unnest(b.placed, b.id, b.object, b.subject, b.actor, b.network, b.agent, b.why)
        AS o (placed, id, object, subject, actor, network, agent, why)
    WHERE o.placed AND o.id IS NOT NULL
$$;

CREATE SEQUENCE audit.entry_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE audit.entry (
    cell integer NOT NULL,
    id uuid NOT NULL,
    seq bigint DEFAULT nextval('audit.entry_seq'::regclass) NOT NULL,
    txid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    at bigint NOT NULL,
    class text NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object text NOT NULL COLLATE pg_catalog."C",
    subject uuid,
    network text NOT NULL,
    agent text NOT NULL,
    why text NOT NULL,
    status integer NOT NULL,
    problem text NOT NULL,
    others uuid[],
    CONSTRAINT entry_class_is_known CHECK ((class = ANY (ARRAY['command'::text, 'read'::text, 'proof'::text])))
)
PARTITION BY RANGE (id);

CREATE FUNCTION audit.entry_hash(e audit.entry) RETURNS bytea
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

CREATE SEQUENCE log.event_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE log.event (
    cell integer NOT NULL,
    id uuid NOT NULL,
    seq bigint DEFAULT nextval('log.event_seq'::regclass) NOT NULL,
    txid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    at bigint NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    version bigint NOT NULL,
    body jsonb NOT NULL,
    sealed bytea,
    subject uuid,
    actor text NOT NULL,
    cause uuid,
    CONSTRAINT event_version_counts_from_one CHECK ((version >= 1))
)
PARTITION BY RANGE (id);

CREATE FUNCTION audit.event_hash(e log.event) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT sha256(convert_to(json_build_array(
        'event', e.cell, e.id, e.seq, e.txid::text::bigint, e.at, e.kind, e.key, e.version, e.body::text,
        encode(e.sealed, 'hex'), e.subject, e.actor, e.cause
    )::text, 'UTF8'))
$$;

CREATE FUNCTION audit.link_hash(cell integer, place bigint, source text, last_txid bigint, last_seq bigint, at bigint, previous bytea, rows bytea) RETURNS bytea
    LANGUAGE sql STABLE PARALLEL SAFE
    AS $$
    SELECT sha256(convert_to(json_build_array(
        'link', cell, place, source, last_txid, last_seq, at, encode(previous, 'hex')
    )::text, 'UTF8') || rows)
$$;

CREATE FUNCTION audit.link_next(in_cell integer, in_source text, stamp bigint, rows_max integer) RETURNS integer
    LANGUAGE plpgsql
    SET enable_seqscan TO 'off'
    SET enable_bitmapscan TO 'off'
    AS $$
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

CREATE FUNCTION audit.refuse() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION '%.% is append-only: % is refused', TG_TABLE_SCHEMA, TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE FUNCTION audit.write_out(in_cell integer, batches_max integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    taken integer;
BEGIN
    WITH taken_out AS (
        DELETE FROM audit.entry_batch AS b
        WHERE b.cell = in_cell AND b.seq IN (
            SELECT f.seq FROM audit.entry_batch AS f WHERE f.cell = in_cell ORDER BY f.seq LIMIT batches_max FOR UPDATE SKIP LOCKED
        )
        RETURNING b
    ), written AS (
        INSERT INTO audit.entry (cell, id, at, class, actor, action, object, subject, network, agent, why, status, problem)
        SELECT in_cell, e.id, (t.b).at, 'command', e.actor, 'POST /v1/orders', e.object, e.subject, e.network, e.agent, e.why, 201, ''
        FROM taken_out AS t CROSS JOIN LATERAL audit.entries_of(t.b) AS e
        ORDER BY (t.b).seq
        ON CONFLICT (cell, id) DO NOTHING
    )
    SELECT count(*) INTO taken FROM taken_out;
    RETURN taken;
END
$$;

CREATE FUNCTION checkout.admit(in_cell integer, wanted boolean[], line_of integer[], line_variant uuid[], line_warehouse text[], line_quantity integer[], line_event uuid[], claim_of integer[], claim_name text[], claim_amount bigint[], claim_most bigint[], OUT accepted boolean[], OUT refused_line integer[], OUT refused_claim integer[], OUT refused_left bigint[], OUT level_variant uuid[], OUT level_warehouse text[], OUT level_before integer[], OUT level_left integer[], OUT level_version bigint[], OUT level_event uuid[], OUT allowance_name text[], OUT allowance_before bigint[], OUT allowance_left bigint[], OUT allowance_most bigint[]) RETURNS record
    LANGUAGE plpgsql
    AS $$
DECLARE
    askers CONSTANT integer := cardinality(wanted);
    lines CONSTANT integer := cardinality(line_of);
    claims CONSTANT integer := cardinality(claim_of);
    line_level integer[];
    claim_allowance integer[];
    enough boolean;
    enough_allowed boolean := true;
    first_line integer := 1;
    next_line integer;
    first_claim integer := 1;
    next_claim integer;
    got_all boolean;
BEGIN
    accepted := wanted;
    refused_line := array_fill(NULL::integer, ARRAY[askers]);
    refused_claim := array_fill(NULL::integer, ARRAY[askers]);
    refused_left := array_fill(NULL::bigint, ARRAY[askers]);

    SELECT array_agg(l.variant_id), array_agg(l.warehouse), array_agg(l.available), array_agg(l.available - l.wanted),
           array_agg(l.version), array_agg(l.event_id),
           coalesce(bool_and(l.available >= l.wanted) AND sum(l.wanted) = (SELECT sum(q) FROM unnest(line_quantity) AS q), false)
    INTO level_variant, level_warehouse, level_before, level_left, level_version, level_event, enough
    FROM (
        SELECT s.variant_id, s.warehouse, s.available, s.version, w.event_id, w.wanted
        FROM (
            SELECT u.variant_id, u.warehouse, sum(u.quantity) AS wanted, (array_agg(u.event_id))[1] AS event_id
            FROM unnest(line_variant, line_warehouse, line_quantity, line_event)
                AS u (variant_id, warehouse, quantity, event_id)
            GROUP BY u.variant_id, u.warehouse
        ) AS w
        JOIN stock.level AS s ON s.cell = in_cell AND s.variant_id = w.variant_id AND s.warehouse = w.warehouse
        ORDER BY s.variant_id, s.warehouse
        FOR UPDATE OF s
    ) AS l;

    IF claims > 0 THEN
        INSERT INTO checkout.allowance (cell, name, most)
        SELECT in_cell, c.name, max(c.most) FROM unnest(claim_name, claim_most) AS c (name, most)
        WHERE c.most IS NOT NULL GROUP BY c.name ORDER BY c.name
        ON CONFLICT (cell, name) DO NOTHING;

        -- A limit that was changed since counts from now on; what is used beyond a lowered one stays used.
        SELECT array_agg(a.name), array_agg(a.used), array_agg(a.most), array_agg(a.most - a.used),
               coalesce(bool_and(a.used + a.wanted <= a.most) AND count(*) = (SELECT count(DISTINCT n) FROM unnest(claim_name) AS n),
                        false)
        INTO allowance_name, allowance_before, allowance_most, allowance_left, enough_allowed
        FROM (
            SELECT r.name, r.used, greatest(coalesce(w.most, r.most), r.used) AS most, w.wanted
            FROM (
                SELECT c.name, sum(c.amount) AS wanted, max(c.most) AS most
                FROM unnest(claim_name, claim_amount, claim_most) AS c (name, amount, most) GROUP BY c.name
            ) AS w
            JOIN checkout.allowance AS r ON r.cell = in_cell AND r.name = w.name AND r.name = ANY (claim_name)
            ORDER BY r.name
            FOR UPDATE OF r
        ) AS a;
    END IF;

    -- When all can be had, all who want are in; else one by one, as they came.
    IF enough AND enough_allowed AND NOT false = ANY (wanted) THEN
        IF claims > 0 THEN
            SELECT array_agg(a.remaining - w.wanted ORDER BY a.place) INTO allowance_left
            FROM unnest(allowance_name, allowance_left) WITH ORDINALITY AS a (name, remaining, place)
            JOIN (SELECT c.name, sum(c.amount) AS wanted FROM unnest(claim_name, claim_amount) AS c (name, amount) GROUP BY c.name) AS w
                USING (name);
        END IF;
        RETURN;
    END IF;
    level_left := coalesce(level_before, '{}');
    SELECT array_agg(v.place ORDER BY u.place) INTO line_level
    FROM unnest(line_variant, line_warehouse) WITH ORDINALITY AS u (variant_id, warehouse, place)
    LEFT JOIN unnest(level_variant, level_warehouse) WITH ORDINALITY AS v (variant_id, warehouse, place) USING (variant_id, warehouse);
    SELECT array_agg(v.place ORDER BY u.place) INTO claim_allowance
    FROM unnest(claim_name) WITH ORDINALITY AS u (name, place)
    LEFT JOIN unnest(allowance_name) WITH ORDINALITY AS v (name, place) USING (name);

    FOR this IN 1 .. askers LOOP
        next_line := first_line;
        next_claim := first_claim;
        got_all := accepted[this];
        WHILE got_all AND next_line <= lines AND line_of[next_line] = this LOOP
            IF line_level[next_line] IS NULL OR level_left[line_level[next_line]] < line_quantity[next_line] THEN
                got_all := false;
                refused_line[this] := next_line;
                refused_left[this] := coalesce(level_left[line_level[next_line]], 0);
            ELSE
                level_left[line_level[next_line]] := level_left[line_level[next_line]] - line_quantity[next_line];
                next_line := next_line + 1;
            END IF;
        END LOOP;
        WHILE got_all AND next_claim <= claims AND claim_of[next_claim] = this LOOP
            IF claim_allowance[next_claim] IS NULL OR allowance_left[claim_allowance[next_claim]] < claim_amount[next_claim] THEN
                got_all := false;
                refused_claim[this] := next_claim;
                refused_left[this] := coalesce(allowance_left[claim_allowance[next_claim]], 0);
            ELSE
                allowance_left[claim_allowance[next_claim]] := allowance_left[claim_allowance[next_claim]] - claim_amount[next_claim];
                next_claim := next_claim + 1;
            END IF;
        END LOOP;
        IF accepted[this] AND NOT got_all THEN
            accepted[this] := false;
            FOR given IN first_line .. next_line - 1 LOOP
                level_left[line_level[given]] := level_left[line_level[given]] + line_quantity[given];
            END LOOP;
            FOR given IN first_claim .. next_claim - 1 LOOP
                allowance_left[claim_allowance[given]] := allowance_left[claim_allowance[given]] + claim_amount[given];
            END LOOP;
        END IF;
        WHILE first_line <= lines AND line_of[first_line] = this LOOP
            first_line := first_line + 1;
        END LOOP;
        WHILE first_claim <= claims AND claim_of[first_claim] = this LOOP
            first_claim := first_claim + 1;
        END LOOP;
    END LOOP;
END
$$;

CREATE FUNCTION checkout.claim_keys(in_cell integer, keys text[], fingerprints bytea[], event_ids uuid[], subject_ids uuid[]) RETURNS TABLE(place integer, subject_id uuid, event_id uuid, other boolean)
    LANGUAGE plpgsql
    AS $$
DECLARE
    claimed integer;
BEGIN
    INSERT INTO log.idempotency (cell, key, fingerprint, event_id, subject_id)
    SELECT in_cell, k.key, k.fingerprint, k.event_id, k.subject_id
    FROM unnest(keys, fingerprints, event_ids, subject_ids) AS k (key, fingerprint, event_id, subject_id)
    ORDER BY k.key
    ON CONFLICT ON CONSTRAINT one_answer_per_key DO NOTHING;
    GET DIAGNOSTICS claimed = ROW_COUNT;
    IF claimed < cardinality(keys) THEN
        RETURN QUERY
        SELECT k.place::integer, i.subject_id, i.event_id, i.fingerprint <> k.fingerprint
        FROM unnest(keys, fingerprints, event_ids) WITH ORDINALITY AS k (key, fingerprint, event_id, place)
        JOIN log.idempotency AS i ON i.cell = in_cell AND i.key = k.key
        WHERE i.event_id <> k.event_id;
    END IF;
END
$$;

CREATE FUNCTION checkout.end_reservations(in_cell integer, ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    level_variant uuid[];
    level_warehouse text[];
    level_pieces bigint[];
BEGIN
    SELECT array_agg(w.variant_id), array_agg(w.warehouse), array_agg(w.pieces) INTO level_variant, level_warehouse, level_pieces
    FROM (
        SELECT s.variant_id, s.warehouse, h.pieces
        FROM (
            SELECT u.variant_id, u.warehouse, sum(u.quantity) AS pieces
            FROM stock.reservation AS r
            CROSS JOIN LATERAL unnest(r.variants, r.warehouses, r.quantities) AS u (variant_id, warehouse, quantity)
            WHERE r.cell = in_cell AND r.id = ANY (ids)
            GROUP BY u.variant_id, u.warehouse
        ) AS h
        JOIN stock.level AS s ON s.cell = in_cell AND s.variant_id = h.variant_id AND s.warehouse = h.warehouse
        ORDER BY s.variant_id, s.warehouse
        FOR UPDATE OF s
    ) AS w;

    UPDATE stock.level AS s SET reserved = s.reserved - w.pieces
    FROM unnest(level_variant, level_warehouse, level_pieces) AS w (variant_id, warehouse, pieces)
    WHERE s.cell = in_cell AND s.variant_id = w.variant_id AND s.warehouse = w.warehouse;

    DELETE FROM stock.reservation WHERE cell = in_cell AND id = ANY (ids);
END
$$;

CREATE FUNCTION checkout.give_back_claims(in_cell integer, ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
DECLARE
    names text[];
    amounts numeric[];
BEGIN
    SELECT array_agg(l.name), array_agg(l.amount) INTO names, amounts
    FROM (
        SELECT r.name, g.amount
        FROM (
            SELECT u.name, sum(u.amount) AS amount
            FROM checkout.checkout AS c CROSS JOIN LATERAL unnest(c.claim_names, c.claim_amounts) AS u (name, amount)
            WHERE c.cell = in_cell AND c.id = ANY (ids)
            GROUP BY u.name
        ) AS g
        JOIN checkout.allowance AS r ON r.cell = in_cell AND r.name = g.name
        ORDER BY r.name
        FOR UPDATE OF r
    ) AS l;

    UPDATE checkout.allowance AS r SET used = r.used - g.amount
    FROM unnest(names, amounts) AS g (name, amount)
    WHERE r.cell = in_cell AND r.name = g.name;
END
$$;

CREATE FUNCTION checkout.move_stock(in_cell integer, stamp bigint, acting text, why text, holding boolean, level_variant uuid[], level_warehouse text[], level_before integer[], level_left integer[], level_version bigint[], level_event uuid[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    UPDATE stock.level AS s
    SET available = t.remaining, reserved = s.reserved + CASE WHEN holding THEN t.had - t.remaining ELSE 0 END, version = t.version + 1
    FROM unnest(level_variant, level_warehouse, level_before, level_left, level_version)
        AS t (variant_id, warehouse, had, remaining, version)
    WHERE s.cell = in_cell AND s.variant_id = t.variant_id AND s.warehouse = t.warehouse AND t.remaining <> t.had;

    INSERT INTO log.event (cell, id, at, kind, key, version, body, actor)
    SELECT in_cell, t.event_id, stamp, 'stock.changed.v1', 'stock/' || t.variant_id || '/' || t.warehouse, t.version + 1,
           jsonb_build_object('variant_id', t.variant_id, 'warehouse', t.warehouse, 'available', t.remaining,
                              'delta', t.remaining - t.had, 'reason', why), acting
    FROM unnest(level_variant, level_warehouse, level_before, level_left, level_version, level_event)
        AS t (variant_id, warehouse, had, remaining, version, event_id)
    WHERE t.remaining <> t.had;
END
$$;

CREATE FUNCTION checkout.note_used_up() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    NEW.since := now();
    RETURN NEW;
END
$$;

CREATE FUNCTION checkout.place_checkouts(in_cell integer, stamp bigint, acting text, at timestamp with time zone, ids uuid[], gateways text[], refs text[], labels text[], captured bigint[], payment_events uuid[], capture_events uuid[], capture_transfers uuid[]) RETURNS SETOF checkout.ended
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
DECLARE
    placed uuid[];
    helds jsonb[];
    events uuid[];
BEGIN
    SELECT array_agg(c.id), array_agg(c.held), array_agg(c.event_id) INTO placed, helds, events
    FROM (
        SELECT id, state, held, event_id FROM checkout.checkout WHERE cell = in_cell AND id = ANY (ids) ORDER BY id FOR UPDATE
    ) AS c
    WHERE c.state IN ('authorizing', 'challenged');

    IF placed IS NOT NULL THEN
        PERFORM checkout.end_reservations(in_cell, placed);

        INSERT INTO ordering.orders (cell, id, state, customer_id, market, country, currency, placed_at, goods_minor, charges_minor,
                                     total_minor, version, channel, paid_by, company_id, tax_minor)
        SELECT in_cell, c.id, 'placed', o.customer_id, o.market, o.country, o.currency, o.placed_at, o.goods_minor, o.charges_minor,
               o.total_minor, 1, o.channel, o.paid_by, o.company_id, o.tax_minor
        FROM unnest(placed, helds) AS c (id, held)
        CROSS JOIN LATERAL jsonb_to_record(c.held -> 'order') AS o (
            customer_id uuid, market text, country text, currency text, placed_at timestamptz, goods_minor bigint,
            charges_minor bigint, total_minor bigint, channel text, paid_by text, company_id uuid, tax_minor bigint);

        INSERT INTO ordering.line (cell, order_id, line, product_id, variant_id, sku, category_id, warehouse, quantity, unit_minor,
                                   amount_minor, seller_id, delivery, list_minor, discount_minor, tax_minor, commission_minor)
        SELECT in_cell, c.id, l.line, l.product_id, l.variant_id, l.sku, l.category_id, l.warehouse, l.quantity, l.unit_minor,
               l.amount_minor, l.seller_id, l.delivery, l.list_minor, l.discount_minor, l.tax_minor, l.commission_minor
        FROM unnest(placed, helds) AS c (id, held)
        CROSS JOIN LATERAL jsonb_to_recordset(c.held -> 'order' -> 'lines') AS l (
            line integer, product_id uuid, variant_id uuid, sku text, category_id uuid, warehouse text, quantity integer,
            unit_minor bigint, amount_minor bigint, seller_id uuid, delivery text, list_minor bigint, discount_minor bigint,
            tax_minor bigint, commission_minor bigint);

        INSERT INTO ordering.charge (cell, order_id, charge, kind, amount_minor, note)
        SELECT in_cell, c.id, h.charge, h.kind, h.amount_minor, h.note
        FROM unnest(placed, helds) AS c (id, held)
        CROSS JOIN LATERAL jsonb_to_recordset(c.held -> 'order' -> 'charges')
            AS h (charge integer, kind text, amount_minor bigint, note text);

        INSERT INTO ordering.tax_line (cell, order_id, place, line, jurisdiction, name, rate_ppm, base_minor, tax_minor, included)
        SELECT in_cell, c.id, t.place, t.line, t.jurisdiction, t.name, t.rate_ppm, t.base_minor, t.tax_minor, t.included
        FROM unnest(placed, helds) AS c (id, held)
        CROSS JOIN LATERAL ROWS FROM (
            jsonb_to_recordset(c.held -> 'order' -> 'taxes')
                AS (line integer, jurisdiction text, name text, rate_ppm integer, base_minor bigint, tax_minor bigint, included boolean)
        ) WITH ORDINALITY AS t (line, jurisdiction, name, rate_ppm, base_minor, tax_minor, included, place);

        INSERT INTO ordering.contact (cell, order_id, email, name, phone, address, subject, sealed)
        SELECT in_cell, c.id, p.email, p.name, p.phone, p.address, nullif(c.held ->> 'subject', '')::uuid,
               decode(nullif(c.held ->> 'sealed', ''), 'base64')
        FROM unnest(placed, helds) AS c (id, held)
        CROSS JOIN LATERAL jsonb_to_record(CASE jsonb_typeof(c.held -> 'contact') WHEN 'object' THEN c.held -> 'contact' END)
            AS p (email text, name text, phone text, address jsonb)
        WHERE c.held ->> 'sealed' <> '' OR jsonb_typeof(c.held -> 'contact') = 'object';

        INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at, debit_party, credit_party)
        SELECT in_cell, t.id, c.id, t.debit::ordering.account, t.credit::ordering.account, t.amount_minor,
               c.held -> 'order' ->> 'currency', (c.held -> 'order' ->> 'placed_at')::timestamptz, t.debit_party, t.credit_party
        FROM unnest(placed, helds) AS c (id, held)
        CROSS JOIN LATERAL jsonb_to_recordset(c.held -> 'transfers')
            AS t (id uuid, debit text, credit text, amount_minor bigint, debit_party text, credit_party text);

        INSERT INTO log.event (cell, id, at, kind, key, version, body, subject, actor, cause)
        SELECT in_cell, c.event_id, stamp, 'ordering.order_placed.v1', 'order/' || c.id, 1, c.held -> 'order',
               (c.held -> 'order' ->> 'customer_id')::uuid, acting, (c.held ->> 'cause')::uuid
        FROM unnest(placed, helds, events) AS c (id, held, event_id);

        PERFORM payment.put_payments(
            in_cell, stamp, acting, at, array_agg(p.id), array_agg(p.gateway), array_agg(p.reference), array_agg(p.label),
            array_agg(c.held -> 'order' ->> 'currency'), array_agg((c.held -> 'order' ->> 'total_minor')::bigint), array_agg(p.captured), array_agg(p.event_id),
            array_agg(p.capture_event_id), array_agg(p.transfer_id))
        FROM unnest(ids, gateways, refs, labels, captured, payment_events, capture_events, capture_transfers)
            AS p (id, gateway, reference, label, captured, event_id, capture_event_id, transfer_id)
        JOIN unnest(placed, helds) AS c (id, held) USING (id)
        WHERE p.gateway <> ''
        HAVING count(*) > 0;

        UPDATE checkout.checkout SET state = 'placed', stepped_at = at, held = NULL WHERE cell = in_cell AND id = ANY (placed);
    END IF;
    RETURN QUERY SELECT * FROM checkout.standing(in_cell, ids, placed);
END
$$;

CREATE FUNCTION checkout.place_orders(in_cell integer, stamp bigint, acting text, order_ids uuid[], event_ids uuid[], keys text[], fingerprints bytea[], customers uuid[], markets text[], countries text[], currencies text[], placed_ats timestamp with time zone[], goods bigint[], charges bigint[], bodies text[], line_order integer[], line_number integer[], line_product uuid[], line_variant uuid[], line_sku text[], line_category uuid[], line_warehouse text[], line_quantity integer[], line_unit bigint[], line_amount bigint[], line_event uuid[], charge_order integer[], charge_number integer[], charge_kind text[], charge_amount bigint[], charge_note text[], charge_transfer uuid[]) RETURNS SETOF checkout.outcome
    LANGUAGE sql
    AS $$
    SELECT * FROM checkout.place_orders(
        in_cell, stamp, acting, order_ids, event_ids, keys, fingerprints, customers, markets, countries, currencies, placed_ats,
        goods, charges, bodies, line_order, line_number, line_product, line_variant, line_sku, line_category, line_warehouse,
        line_quantity, line_unit, line_amount, line_event, charge_order, charge_number, charge_kind, charge_amount, charge_note,
        charge_transfer, '{}', '{}', '{}', '{}', '{}')
$$;

CREATE FUNCTION checkout.place_orders(in_cell integer, stamp bigint, acting text, order_ids uuid[], event_ids uuid[], keys text[], fingerprints bytea[], customers uuid[], markets text[], countries text[], currencies text[], placed_ats timestamp with time zone[], goods bigint[], charges bigint[], bodies text[], line_order integer[], line_number integer[], line_product uuid[], line_variant uuid[], line_sku text[], line_category uuid[], line_warehouse text[], line_quantity integer[], line_unit bigint[], line_amount bigint[], line_event uuid[], charge_order integer[], charge_number integer[], charge_kind text[], charge_amount bigint[], charge_note text[], charge_transfer uuid[], requests uuid[], actors text[], networks text[], agents text[], whys text[]) RETURNS SETOF checkout.outcome
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
DECLARE
    orders CONSTANT integer := cardinality(order_ids);
    wanted boolean[] := array_fill(true, ARRAY[orders]);
    reused boolean[] := array_fill(false, ARRAY[orders]);
    known_orders uuid[] := array_fill(NULL::uuid, ARRAY[orders]);
    known_events uuid[] := array_fill(NULL::uuid, ARRAY[orders]);
    seen record;
    a record;
BEGIN
    FOR seen IN SELECT * FROM checkout.claim_keys(in_cell, keys, fingerprints, event_ids, order_ids) LOOP
        wanted[seen.place] := false;
        reused[seen.place] := seen.other;
        known_orders[seen.place] := seen.subject_id;
        known_events[seen.place] := seen.event_id;
    END LOOP;

    SELECT * INTO a FROM checkout.admit(in_cell, wanted, line_order, line_variant, line_warehouse, line_quantity, line_event,
                                        '{}', '{}', '{}', '{}');
    IF false = ANY (a.accepted) THEN
        -- A refused order leaves no trace: its key may be tried again.
        DELETE FROM log.idempotency AS i
        USING unnest(keys, event_ids, a.accepted) AS k (key, event_id, in_order)
        WHERE i.cell = in_cell AND i.key = k.key AND i.event_id = k.event_id AND NOT k.in_order;
    END IF;

    IF true = ANY (a.accepted) THEN
        PERFORM checkout.move_stock(in_cell, stamp, acting, 'sold', false, a.level_variant, a.level_warehouse, a.level_before,
                                    a.level_left, a.level_version, a.level_event);

        INSERT INTO ordering.orders (cell, id, state, customer_id, market, country, currency, placed_at,
                                     goods_minor, charges_minor, total_minor, version)
        SELECT in_cell, o.id, 'placed', o.customer_id, o.market, o.country, o.currency, o.placed_at,
               o.goods, o.charges, o.goods + o.charges, 1
        FROM unnest(order_ids, customers, markets, countries, currencies, placed_ats, goods, charges, a.accepted)
            AS o (id, customer_id, market, country, currency, placed_at, goods, charges, in_order)
        WHERE o.in_order;

        INSERT INTO ordering.line (cell, order_id, line, product_id, variant_id, sku, category_id, warehouse, quantity,
                                   unit_minor, amount_minor)
        SELECT in_cell, order_ids[l.of], l.line, l.product_id, l.variant_id, l.sku, l.category_id, l.warehouse, l.quantity,
               l.unit_minor, l.amount_minor
        FROM unnest(line_order, line_number, line_product, line_variant, line_sku, line_category, line_warehouse,
                    line_quantity, line_unit, line_amount)
            AS l (of, line, product_id, variant_id, sku, category_id, warehouse, quantity, unit_minor, amount_minor)
        WHERE a.accepted[l.of];

        INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at)
        SELECT in_cell, o.id, o.id, 'receivable', 'sales', o.goods, o.currency, o.placed_at
        FROM unnest(order_ids, goods, currencies, placed_ats, a.accepted) AS o (id, goods, currency, placed_at, in_order)
        WHERE o.in_order AND o.goods > 0;

        IF cardinality(charge_order) > 0 THEN
            INSERT INTO ordering.charge (cell, order_id, charge, kind, amount_minor, note)
            SELECT in_cell, order_ids[c.of], c.charge, c.kind, c.amount_minor, c.note
            FROM unnest(charge_order, charge_number, charge_kind, charge_amount, charge_note)
                AS c (of, charge, kind, amount_minor, note)
            WHERE a.accepted[c.of];

            INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at)
            SELECT in_cell, c.id, order_ids[c.of],
                   CASE WHEN c.amount_minor > 0 THEN 'receivable' ELSE ordering.charge_account(c.kind) END,
                   CASE WHEN c.amount_minor > 0 THEN ordering.charge_account(c.kind) ELSE 'receivable' END,
                   abs(c.amount_minor), currencies[c.of], placed_ats[c.of]
            FROM unnest(charge_order, charge_transfer, charge_kind, charge_amount) AS c (of, id, kind, amount_minor)
            WHERE a.accepted[c.of] AND c.amount_minor <> 0;
        END IF;

        INSERT INTO log.event (cell, id, at, kind, key, version, body, subject, actor, cause)
        SELECT in_cell, o.event_id, stamp, 'ordering.order_placed.v1', 'order/' || o.id, 1, o.body::jsonb, o.customer_id,
               coalesce(o.actor, acting), o.request
        FROM unnest(order_ids, event_ids, bodies, customers, a.accepted, actors, requests)
            AS o (id, event_id, body, customer_id, in_order, actor, request)
        WHERE o.in_order;

        -- One row for the entries of all of them: each gets its own when ``audit.write_out`` comes by.
        IF cardinality(array_remove(requests, NULL)) > 0 THEN
            INSERT INTO audit.entry_batch (cell, at, placed, id, object, subject, actor, network, agent, why)
            VALUES (in_cell, stamp, a.accepted, requests, order_ids, customers, actors, networks, agents, whys);
        END IF;
    END IF;

    -- Each is answered on its own. The position is that of the batch's last event: who waits for it has seen every one.
    RETURN QUERY
    SELECT o.place::integer,
           CASE WHEN o.in_order THEN 'placed' WHEN o.reused THEN 'reused' WHEN o.known_order IS NOT NULL THEN 'repeated'
                ELSE 'refused' END,
           CASE WHEN o.in_order THEN o.id ELSE o.known_order END,
           line_number[o.refused_line], o.refused_left::integer,
           CASE WHEN o.in_order THEN pg_current_xact_id()::text::bigint ELSE e.txid::text::bigint END,
           CASE WHEN o.in_order THEN currval('log.event_seq') ELSE e.seq END
    FROM unnest(order_ids, a.accepted, reused, known_orders, known_events, a.refused_line, a.refused_left) WITH ORDINALITY
        AS o (id, in_order, reused, known_order, known_event, refused_line, refused_left, place)
    LEFT JOIN log.event AS e ON e.cell = in_cell AND e.id = o.known_event AND NOT o.in_order;
END
$$;

CREATE FUNCTION checkout.release_checkouts(in_cell integer, stamp bigint, acting text, at timestamp with time zone, ids uuid[], ends text[], reasons text[], level_events uuid[]) RETURNS SETOF checkout.ended
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
DECLARE
    releasing uuid[];
    level_variant uuid[];
    level_warehouse text[];
    level_before integer[];
    level_left integer[];
    level_version bigint[];
BEGIN
    SELECT array_agg(c.id) INTO releasing
    FROM (
        SELECT h.id, h.state, u.to_state
        FROM unnest(ids, ends) AS u (id, to_state)
        JOIN checkout.checkout AS h ON h.cell = in_cell AND h.id = u.id AND h.id = ANY (ids)
        ORDER BY h.id
        FOR UPDATE OF h
    ) AS c
    WHERE c.state IN ('authorizing', 'challenged') AND c.to_state IN ('declined', 'compensating')
       OR c.state = 'compensating' AND c.to_state IN ('expired', 'compensated');

    IF releasing IS NOT NULL THEN
        SELECT array_agg(w.variant_id), array_agg(w.warehouse), array_agg(w.available), array_agg(w.available + w.pieces),
               array_agg(w.version)
        INTO level_variant, level_warehouse, level_before, level_left, level_version
        FROM (
            SELECT s.variant_id, s.warehouse, s.available, s.version, h.pieces
            FROM (
                SELECT u.variant_id, u.warehouse, sum(u.quantity) AS pieces
                FROM stock.reservation AS r
                CROSS JOIN LATERAL unnest(r.variants, r.warehouses, r.quantities) AS u (variant_id, warehouse, quantity)
                WHERE r.cell = in_cell AND r.id = ANY (releasing)
                GROUP BY u.variant_id, u.warehouse
            ) AS h
            JOIN stock.level AS s ON s.cell = in_cell AND s.variant_id = h.variant_id AND s.warehouse = h.warehouse
            ORDER BY s.variant_id, s.warehouse
            FOR UPDATE OF s
        ) AS w;
        PERFORM checkout.move_stock(in_cell, stamp, acting, 'released', true, level_variant, level_warehouse, level_before, level_left,
                                    level_version, level_events[1:cardinality(level_variant)]);
        DELETE FROM stock.reservation WHERE cell = in_cell AND id = ANY (releasing);
        PERFORM checkout.give_back_claims(in_cell, releasing);

        INSERT INTO log.event (cell, id, at, kind, key, version, body, subject, actor, cause)
        SELECT in_cell, c.event_id, stamp, 'checkout.released.v1', 'checkout/' || c.id, 1,
               jsonb_build_object('id', c.id, 'state', u.to_state, 'reason', u.reason, 'total_minor', c.total_minor,
                                  'currency', c.currency), c.customer_id, acting, (c.held ->> 'cause')::uuid
        FROM unnest(ids, ends, reasons) AS u (id, to_state, reason)
        JOIN checkout.checkout AS c ON c.cell = in_cell AND c.id = u.id AND c.id = ANY (releasing)
        WHERE u.to_state <> 'compensating';

        UPDATE checkout.checkout AS c
        SET state = u.to_state, reason = u.reason, stepped_at = at, claim_names = '{}', claim_amounts = '{}',
            held = CASE WHEN u.to_state = 'compensating' THEN c.held END
        FROM unnest(ids, ends, reasons) AS u (id, to_state, reason)
        WHERE c.cell = in_cell AND c.id = u.id AND c.id = ANY (releasing);
    END IF;
    RETURN QUERY SELECT * FROM checkout.standing(in_cell, ids, releasing);
END
$$;

CREATE FUNCTION checkout.reserve_checkouts(in_cell integer, stamp bigint, acting text, at timestamp with time zone, ends timestamp with time zone, ids uuid[], event_ids uuid[], keys text[], fingerprints bytea[], customers uuid[], totals bigint[], currencies text[], helds text[], line_of integer[], line_variant uuid[], line_warehouse text[], line_quantity integer[], line_event uuid[], claim_of integer[], claim_name text[], claim_amount bigint[], claim_most bigint[]) RETURNS SETOF checkout.reserved
    LANGUAGE plpgsql
    SET plan_cache_mode TO 'force_generic_plan'
    SET enable_seqscan TO 'off'
    SET enable_hashjoin TO 'off'
    SET enable_mergejoin TO 'off'
    AS $$
DECLARE
    checkouts CONSTANT integer := cardinality(ids);
    wanted boolean[] := array_fill(true, ARRAY[checkouts]);
    reused boolean[] := array_fill(false, ARRAY[checkouts]);
    known uuid[] := array_fill(NULL::uuid, ARRAY[checkouts]);
    seen record;
    a record;
BEGIN
    FOR seen IN SELECT * FROM checkout.claim_keys(in_cell, keys, fingerprints, event_ids, ids) LOOP
        wanted[seen.place] := false;
        reused[seen.place] := seen.other;
        known[seen.place] := seen.subject_id;
    END LOOP;

    SELECT * INTO a FROM checkout.admit(in_cell, wanted, line_of, line_variant, line_warehouse, line_quantity, line_event,
                                        claim_of, claim_name, claim_amount, claim_most);
    IF false = ANY (a.accepted) THEN
        -- A refused checkout leaves no trace: its key may be tried again.
        DELETE FROM log.idempotency AS i
        USING unnest(keys, event_ids, a.accepted) AS k (key, event_id, in_order)
        WHERE i.cell = in_cell AND i.key = k.key AND i.event_id = k.event_id AND NOT k.in_order;
    END IF;

    IF true = ANY (a.accepted) THEN
        PERFORM checkout.move_stock(in_cell, stamp, acting, 'reserved', true, a.level_variant, a.level_warehouse, a.level_before,
                                    a.level_left, a.level_version, a.level_event);

        INSERT INTO stock.reservation (cell, id, expires_at, variants, warehouses, quantities)
        SELECT in_cell, ids[l.of], ends, array_agg(l.variant_id), array_agg(l.warehouse), array_agg(l.quantity)
        FROM unnest(line_of, line_variant, line_warehouse, line_quantity) AS l (of, variant_id, warehouse, quantity)
        WHERE a.accepted[l.of] GROUP BY l.of;

        UPDATE checkout.allowance AS r SET used = t.most - t.remaining, most = t.most
        FROM unnest(a.allowance_name, a.allowance_before, a.allowance_left, a.allowance_most) AS t (name, before, remaining, most)
        WHERE r.cell = in_cell AND r.name = t.name AND r.name = ANY (a.allowance_name) AND t.most - t.remaining <> t.before;

        INSERT INTO checkout.checkout (cell, id, state, customer_id, total_minor, currency, event_id, expires_at, stepped_at,
                                       claim_names, claim_amounts, held)
        SELECT in_cell, c.id, 'authorizing', c.customer_id, c.total_minor, c.currency, c.event_id, ends, at,
               coalesce(m.names, '{}'), coalesce(m.amounts, '{}'), c.held::jsonb
        FROM unnest(ids, event_ids, customers, totals, currencies, helds, a.accepted) WITH ORDINALITY
            AS c (id, event_id, customer_id, total_minor, currency, held, in_order, place)
        LEFT JOIN (
            SELECT l.of, array_agg(l.name) AS names, array_agg(l.amount) AS amounts
            FROM unnest(claim_of, claim_name, claim_amount) AS l (of, name, amount) GROUP BY l.of
        ) AS m ON m.of = c.place
        WHERE c.in_order;
    END IF;

    RETURN QUERY
    SELECT c.place::integer,
           CASE WHEN c.in_order THEN 'reserved' WHEN c.reused THEN 'reused' WHEN c.known IS NOT NULL THEN 'repeated'
                ELSE 'refused' END,
           CASE WHEN c.in_order THEN c.id ELSE c.known END,
           c.refused_line, c.refused_claim, c.refused_left
    FROM unnest(ids, a.accepted, reused, known, a.refused_line, a.refused_claim, a.refused_left) WITH ORDINALITY
        AS c (id, in_order, reused, known, refused_line, refused_claim, refused_left, place);
END
$$;

CREATE FUNCTION checkout.standing(in_cell integer, ids uuid[], changed uuid[]) RETURNS SETOF checkout.ended
    LANGUAGE sql STABLE
    AS $$
    SELECT u.place::integer, c.state, coalesce(c.id = ANY (changed), false), e.txid::text::bigint, e.seq
    FROM unnest(ids) WITH ORDINALITY AS u (id, place)
    LEFT JOIN LATERAL (SELECT * FROM checkout.checkout WHERE cell = in_cell AND id = u.id OFFSET 0) AS c ON true
    LEFT JOIN LATERAL (
        SELECT txid, seq FROM log.event WHERE cell = in_cell AND id = c.event_id AND c.held IS NULL OFFSET 0
    ) AS e ON true
$$;

CREATE FUNCTION closing.refuse_closed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
DECLARE
    shut text;
BEGIN
    SELECT p.period INTO shut FROM closing.period AS p
    WHERE p.state <> 'reopened' AND EXISTS (
        SELECT FROM touched AS t WHERE t.cell = p.cell AND t.booked_at >= p.since AND t.booked_at < p.until
    ) LIMIT 1;
    IF shut IS NOT NULL THEN
        RAISE EXCEPTION 'The books of % are closed: book it into an open month, or have the month reopened.', shut
            USING ERRCODE = 'EP001', CONSTRAINT = 'closed_period_stays_as_it_is';
    END IF;
    RETURN NULL;
END
$$;

CREATE FUNCTION identity.check_residence() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF NEW.region <> '' AND EXISTS (SELECT FROM identity.residence AS r WHERE r.cell = NEW.cell AND NEW.region <> ALL (r.takes)) THEN
        RAISE EXCEPTION 'What belongs to people of % may not lie in cell %', NEW.region, NEW.cell
            USING ERRCODE = 'check_violation', CONSTRAINT = 'person_lives_where_their_region_allows';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION log.ensure_partitions(parent regclass, step text, first timestamp with time zone, last timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql
    AS $$
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

CREATE FUNCTION log.make_hash_partitions(parent regclass, parts integer, fillfactor integer) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    FOR part IN 0 .. parts - 1 LOOP
        EXECUTE format('CREATE TABLE %s PARTITION OF %s FOR VALUES WITH (MODULUS %s, REMAINDER %s) WITH (fillfactor = %s)',
                       parent::text || '_' || part, parent, parts, part, fillfactor);
    END LOOP;
END
$$;

CREATE FUNCTION log.shard_of(key text, shards integer) RETURNS integer
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT mod(mod(hashtextextended(key, 0), shards) + shards, shards)::integer
$$;

CREATE FUNCTION log.uuid_at(moment timestamp with time zone) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

CREATE FUNCTION ordering.charge_account(kind text) RETURNS ordering.account
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$
    SELECT (CASE kind WHEN 'postage' THEN 'postage' WHEN 'fee' THEN 'fees' WHEN 'discount' THEN 'discounts' WHEN 'tax' THEN 'tax'
                      WHEN 'voucher' THEN 'discounts' WHEN 'donation' THEN 'donations' ELSE 'adjustments' END)::ordering.account
$$;

CREATE FUNCTION ordering.ensure_room(first timestamp with time zone, last timestamp with time zone) RETURNS integer
    LANGUAGE sql
    AS $$
    SELECT coalesce(sum(log.ensure_partitions(p.partrelid::regclass, 'month', first, last)), 0)::integer
    FROM pg_partitioned_table AS p
    JOIN pg_class AS c ON c.oid = p.partrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
    WHERE p.partstrat = 'r' AND a.atttypid = 'uuid'::regtype
      AND n.nspname IN ('ordering', 'checkout', 'payment', 'fulfilment', 'aftersale', 'business', 'subscription', 'marketplace',
                        'digital', 'cart', 'webhook')
$$;

CREATE FUNCTION payment.put_payments(in_cell integer, stamp bigint, acting text, at timestamp with time zone, ids uuid[], gateways text[], refs text[], labels text[], currencies text[], authorized bigint[], captured bigint[], event_ids uuid[], capture_event_ids uuid[], transfer_ids uuid[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
BEGIN
    INSERT INTO payment.payment (cell, id, gateway, reference, label, currency, authorized_minor, captured_minor, version)
    SELECT in_cell, p.id, p.gateway, p.reference, p.label, p.currency, p.authorized, p.captured,
           CASE WHEN p.captured > 0 THEN 2 ELSE 1 END
    FROM unnest(ids, gateways, refs, labels, currencies, authorized, captured)
        AS p (id, gateway, reference, label, currency, authorized, captured);

    INSERT INTO log.event (cell, id, at, kind, key, version, body, actor)
    SELECT in_cell, p.event_id, stamp, 'payment.authorized.v1', 'payment/' || p.id, 1,
           jsonb_build_object('id', p.id, 'gateway', p.gateway, 'currency', p.currency, 'state', 'authorized',
                              'amount_minor', p.authorized, 'authorized_minor', p.authorized), acting
    FROM unnest(ids, gateways, currencies, authorized, event_ids) AS p (id, gateway, currency, authorized, event_id);

    IF EXISTS (SELECT FROM unnest(captured) AS c (captured) WHERE c.captured > 0) THEN
        INSERT INTO payment.operation (cell, id, payment_id, kind, amount_minor, currency, state, about_id, asked_at, ended_at)
        SELECT in_cell, p.id, p.id, 'capture', p.captured, p.currency, 'done', p.id, at, at
        FROM unnest(ids, captured, currencies) AS p (id, captured, currency) WHERE p.captured > 0;

        INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at, debit_party)
        SELECT in_cell, p.transfer_id, p.id, 'gateway', 'receivable', p.captured, p.currency, at, p.gateway
        FROM unnest(ids, captured, currencies, gateways, transfer_ids) AS p (id, captured, currency, gateway, transfer_id)
        WHERE p.captured > 0;

        INSERT INTO log.event (cell, id, at, kind, key, version, body, actor)
        SELECT in_cell, p.event_id, stamp, 'payment.captured.v1', 'payment/' || p.id, 2,
               jsonb_build_object('id', p.id, 'gateway', p.gateway, 'currency', p.currency,
                                  'state', CASE WHEN p.captured = p.authorized THEN 'captured' ELSE 'part_captured' END,
                                  'amount_minor', p.captured, 'authorized_minor', p.authorized, 'captured_minor', p.captured,
                                  'operation_id', p.id), acting
        FROM unnest(ids, gateways, currencies, authorized, captured, capture_event_ids)
            AS p (id, gateway, currency, authorized, captured, event_id)
        WHERE p.captured > 0;
    END IF;
END
$$;

CREATE FUNCTION pricing.keep_past_list() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM pricing.past_list WHERE code = OLD.code AND until < NEW.since - interval '35 days';
    INSERT INTO pricing.past_list (code, version, company_id, definition, since, until)
    VALUES (OLD.code, OLD.version, OLD.company_id, to_jsonb(OLD), OLD.since, coalesce(NEW.since, now()));
    RETURN NULL;
END
$$;

CREATE FUNCTION pricing.keep_past_list_price() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM pricing.past_list_price
    WHERE variant_id = OLD.variant_id AND list = OLD.list AND until < NEW.since - interval '35 days';
    INSERT INTO pricing.past_list_price (variant_id, list, version, from_quantities, amounts_minor, since, until)
    VALUES (OLD.variant_id, OLD.list, OLD.version, OLD.from_quantities, OLD.amounts_minor, OLD.since, coalesce(NEW.since, now()));
    RETURN NULL;
END
$$;

CREATE TABLE aftersale.return_case (
    cell integer NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    customer_id uuid,
    state text NOT NULL,
    reason text NOT NULL,
    note text DEFAULT ''::text NOT NULL,
    requested_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone,
    inspected_at timestamp with time zone,
    ended_at timestamp with time zone,
    refunded_minor bigint DEFAULT 0 NOT NULL,
    exchange_order_id uuid,
    version bigint NOT NULL,
    CONSTRAINT ended_return_case_says_when CHECK (((state = ANY (ARRAY['refunded'::text, 'exchanged'::text, 'rejected'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT return_case_state_is_known CHECK ((state = ANY (ARRAY['requested'::text, 'received'::text, 'inspected'::text, 'refunded'::text, 'exchanged'::text, 'rejected'::text])))
)
PARTITION BY RANGE (id);

CREATE TABLE business.invoice (
    cell integer NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    state text NOT NULL,
    company_id uuid NOT NULL,
    order_id uuid NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    due_on date NOT NULL,
    currency text NOT NULL,
    total_minor bigint NOT NULL,
    paid_minor bigint DEFAULT 0 NOT NULL,
    credited_minor bigint DEFAULT 0 NOT NULL,
    body jsonb NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT invoice_never_overpaid CHECK (((paid_minor >= 0) AND (credited_minor >= 0) AND ((paid_minor + credited_minor) <= total_minor))),
    CONSTRAINT invoice_state_is_known CHECK ((state = ANY (ARRAY['open'::text, 'part_paid'::text, 'overdue'::text, 'paid'::text, 'credited'::text]))),
    CONSTRAINT settled_invoice_has_nothing_open CHECK (((state = ANY (ARRAY['paid'::text, 'credited'::text])) = ((paid_minor + credited_minor) = total_minor)))
);

ALTER TABLE ONLY business.invoice FORCE ROW LEVEL SECURITY;

CREATE TABLE payment.dispute (
    cell integer NOT NULL,
    id uuid NOT NULL,
    gateway text NOT NULL,
    reference text NOT NULL,
    payment_id uuid NOT NULL,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    reason text NOT NULL,
    evidence text DEFAULT ''::text NOT NULL,
    evidence_due timestamp with time zone NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    CONSTRAINT decided_dispute_says_when CHECK (((state = ANY (ARRAY['won'::text, 'lost'::text])) = (decided_at IS NOT NULL))),
    CONSTRAINT dispute_amount_is_positive CHECK ((amount_minor > 0)),
    CONSTRAINT dispute_state_is_known CHECK ((state = ANY (ARRAY['opened'::text, 'evidence_sent'::text, 'won'::text, 'lost'::text])))
);

CREATE TABLE privacy.legal_hold (
    about_id uuid NOT NULL,
    reference text NOT NULL,
    since timestamp with time zone NOT NULL,
    by_whom text NOT NULL,
    CONSTRAINT hold_names_its_case CHECK ((reference ~ '^[A-Za-z0-9][A-Za-z0-9./-]{1,59}$'::text))
);

CREATE FUNCTION privacy.is_held(of_cell integer, of_order uuid, of_whom uuid) RETURNS boolean
    LANGUAGE sql STABLE
    RETURN ((EXISTS (SELECT FROM privacy.legal_hold h WHERE (h.about_id = ANY (ARRAY[is_held.of_order, is_held.of_whom])))) OR (EXISTS (SELECT FROM payment.dispute d WHERE ((d.cell = is_held.of_cell) AND (d.payment_id = is_held.of_order) AND (d.decided_at IS NULL)))) OR (EXISTS (SELECT FROM aftersale.return_case r WHERE ((r.cell = is_held.of_cell) AND (r.order_id = is_held.of_order) AND (r.ended_at IS NULL)))) OR (EXISTS (SELECT FROM business.invoice i WHERE ((i.cell = is_held.of_cell) AND (i.order_id = is_held.of_order) AND (i.state <> ALL (ARRAY['paid'::text, 'credited'::text]))))));

CREATE FUNCTION promotion.keep_past() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM promotion.past WHERE code = OLD.code AND until < NEW.since - interval '35 days';
    INSERT INTO promotion.past (code, version, definition, since, until)
    VALUES (OLD.code, OLD.version, OLD.definition, OLD.since, coalesce(NEW.since, now()));
    RETURN NULL;
END
$$;

CREATE FUNCTION shipping.keep_past_method() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    DELETE FROM shipping.past_method WHERE code = OLD.code AND until < NEW.since - interval '35 days';
    INSERT INTO shipping.past_method (code, version, definition, since, until)
    VALUES (OLD.code, OLD.version, OLD.definition, OLD.since, coalesce(NEW.since, now()));
    RETURN NULL;
END
$$;

CREATE TABLE aftersale.return_case_line (
    cell integer NOT NULL,
    case_id uuid NOT NULL,
    line integer NOT NULL,
    requested integer NOT NULL,
    received integer DEFAULT 0 NOT NULL,
    restocked integer DEFAULT 0 NOT NULL,
    written_off integer DEFAULT 0 NOT NULL,
    refused integer DEFAULT 0 NOT NULL,
    CONSTRAINT inspected_within_received CHECK (((restocked >= 0) AND (written_off >= 0) AND (refused >= 0) AND (((restocked + written_off) + refused) <= received))),
    CONSTRAINT received_within_requested CHECK (((received >= 0) AND (received <= requested)))
)
PARTITION BY RANGE (case_id);

CREATE TABLE approval.change (
    cell integer NOT NULL,
    id uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    version integer NOT NULL,
    actor text NOT NULL,
    body jsonb NOT NULL
);

CREATE TABLE approval.request (
    cell integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    about text NOT NULL,
    scope text NOT NULL,
    amount bigint NOT NULL,
    what text NOT NULL,
    digest bytea NOT NULL,
    state text NOT NULL,
    asked_by uuid,
    asked_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    decided_by uuid,
    decided_at timestamp with time zone,
    why text DEFAULT ''::text NOT NULL,
    applied_at timestamp with time zone,
    version integer DEFAULT 1 NOT NULL,
    CONSTRAINT applied_approval_says_when CHECK (((state = 'applied'::text) = (applied_at IS NOT NULL))),
    CONSTRAINT approval_state_is_known CHECK ((state = ANY (ARRAY['requested'::text, 'approved'::text, 'refused'::text, 'expired'::text, 'applied'::text]))),
    CONSTRAINT decided_approval_says_by_whom_and_when CHECK ((((decided_by IS NULL) = (decided_at IS NULL)) AND ((state <> ALL (ARRAY['approved'::text, 'refused'::text, 'applied'::text])) OR (decided_by IS NOT NULL)))),
    CONSTRAINT nobody_approves_what_they_asked_for CHECK (((decided_by IS DISTINCT FROM asked_by) OR (decided_by IS NULL)))
);

CREATE TABLE approval.threshold (
    kind text NOT NULL,
    scope text NOT NULL,
    above bigint NOT NULL,
    version integer NOT NULL,
    CONSTRAINT threshold_is_never_negative CHECK ((above >= 0))
);

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
    dropped boolean DEFAULT false NOT NULL,
    retired boolean DEFAULT false NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE VIEW audit.every_entry AS
 SELECT entry.cell,
    entry.id,
    entry.at,
    entry.class,
    entry.actor,
    entry.action,
    entry.object,
    entry.subject,
    entry.network,
    entry.agent,
    entry.why,
    entry.status,
    entry.problem,
    entry.others
   FROM audit.entry
UNION ALL
 SELECT b.cell,
    e.id,
    b.at,
    'command'::text AS class,
    e.actor,
    'POST /v1/orders'::text AS action,
    e.object,
    e.subject,
    e.network,
    e.agent,
    e.why,
    201 AS status,
    ''::text AS problem,
    NULL::uuid[] AS others
   FROM (audit.entry_batch b
     CROSS JOIN LATERAL audit.entries_of(b.*) e(id, actor, object, subject, network, agent, why))
  WHERE (NOT (EXISTS ( SELECT
           FROM audit.entry w
          WHERE ((w.cell = b.cell) AND (w.id = e.id)))));

CREATE TABLE audit.head (
    cell integer NOT NULL,
    place bigint NOT NULL,
    hash bytea NOT NULL,
    entry_txid xid8 NOT NULL,
    entry_seq bigint NOT NULL,
    event_txid xid8 NOT NULL,
    event_seq bigint NOT NULL
)
WITH (fillfactor='50');

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
    CONSTRAINT link_holds_whole_rows CHECK (((length(rows) > 0) AND ((length(rows) % 48) = 0))),
    CONSTRAINT link_place_counts_from_one CHECK ((place >= 1)),
    CONSTRAINT link_source_is_known CHECK ((source = ANY (ARRAY['entry'::text, 'event'::text])))
);
ALTER TABLE ONLY audit.link ALTER COLUMN rows SET STORAGE EXTERNAL;

CREATE TABLE audit.root (
    cell integer NOT NULL,
    number bigint NOT NULL,
    last_place bigint NOT NULL,
    at bigint NOT NULL,
    object text NOT NULL,
    document text NOT NULL,
    locked boolean NOT NULL
);

CREATE TABLE audit.signing_key (
    public bytea NOT NULL,
    wrapped_by text NOT NULL,
    wrapped bytea NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE business.buyer (
    cell integer NOT NULL,
    id uuid NOT NULL,
    company_id uuid NOT NULL,
    name text,
    email text,
    role text NOT NULL,
    order_limit_minor bigint,
    month_limit_minor bigint,
    state text NOT NULL,
    version bigint NOT NULL,
    name_sealed bytea,
    email_sealed bytea,
    email_blind bytea,
    CONSTRAINT buyer_limits_never_negative CHECK (((order_limit_minor >= 0) AND (month_limit_minor >= 0))),
    CONSTRAINT buyer_role_is_known CHECK ((role = ANY (ARRAY['buyer'::text, 'approver'::text]))),
    CONSTRAINT buyer_state_is_known CHECK ((state = ANY (ARRAY['active'::text, 'left'::text])))
);

ALTER TABLE ONLY business.buyer FORCE ROW LEVEL SECURITY;

CREATE TABLE business.company (
    cell integer NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    address text NOT NULL,
    country text NOT NULL,
    vat_id text NOT NULL,
    currency text NOT NULL,
    credit_limit_minor bigint NOT NULL,
    terms_days integer NOT NULL,
    state text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT company_currency_is_iso_4217 CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT company_state_is_known CHECK ((state = ANY (ARRAY['active'::text, 'blocked'::text]))),
    CONSTRAINT credit_limit_never_negative CHECK ((credit_limit_minor >= 0)),
    CONSTRAINT terms_days_never_negative CHECK ((terms_days >= 0))
);

ALTER TABLE ONLY business.company FORCE ROW LEVEL SECURITY;

CREATE TABLE business.credit_note (
    cell integer NOT NULL,
    id uuid NOT NULL,
    number text NOT NULL,
    company_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    about_id uuid NOT NULL,
    issued_at timestamp with time zone NOT NULL,
    currency text NOT NULL,
    total_minor bigint NOT NULL,
    used_minor bigint DEFAULT 0 NOT NULL,
    body jsonb NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT credit_note_never_used_beyond_itself CHECK (((used_minor >= 0) AND (used_minor <= total_minor)))
);

ALTER TABLE ONLY business.credit_note FORCE ROW LEVEL SECURITY;

CREATE TABLE business.issuer (
    cell integer NOT NULL,
    name text NOT NULL,
    address text NOT NULL,
    vat_id text NOT NULL,
    bank_account text NOT NULL
);

CREATE TABLE business.negotiation (
    cell integer NOT NULL,
    id uuid NOT NULL,
    company_id uuid NOT NULL,
    buyer_id uuid NOT NULL,
    state text NOT NULL,
    market text NOT NULL,
    currency text NOT NULL,
    skus text[] NOT NULL,
    quantities integer[] NOT NULL,
    units_minor bigint[] NOT NULL,
    proposed_by text NOT NULL,
    valid_until timestamp with time zone,
    version bigint NOT NULL,
    CONSTRAINT negotiation_arrays_are_parallel CHECK (((cardinality(skus) = cardinality(quantities)) AND ((cardinality(units_minor) = 0) OR (cardinality(units_minor) = cardinality(skus))))),
    CONSTRAINT negotiation_state_is_known CHECK ((state = ANY (ARRAY['requested'::text, 'offered'::text, 'countered'::text, 'accepted'::text, 'ordered'::text, 'declined'::text, 'expired'::text]))),
    CONSTRAINT offered_prices_never_negative CHECK ((0 <= ALL (units_minor))),
    CONSTRAINT what_was_offered_says_until_when CHECK (((state = ANY (ARRAY['requested'::text, 'declined'::text])) OR ((valid_until IS NOT NULL) AND (cardinality(units_minor) > 0))))
);

ALTER TABLE ONLY business.negotiation FORCE ROW LEVEL SECURITY;

CREATE TABLE business.negotiation_round (
    cell integer NOT NULL,
    negotiation_id uuid NOT NULL,
    round integer NOT NULL,
    by_whom text NOT NULL,
    did text NOT NULL,
    units_minor bigint[] NOT NULL,
    valid_until timestamp with time zone,
    note text NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT round_is_of_one_of_the_two CHECK ((by_whom = ANY (ARRAY['company'::text, 'merchant'::text])))
);

ALTER TABLE ONLY business.negotiation_round FORCE ROW LEVEL SECURITY;

CREATE TABLE business.purchase (
    cell integer NOT NULL,
    id uuid NOT NULL,
    company_id uuid NOT NULL,
    buyer_id uuid NOT NULL,
    state text NOT NULL,
    purchase_order text NOT NULL,
    negotiation_id uuid,
    currency text NOT NULL,
    total_minor bigint NOT NULL,
    request jsonb NOT NULL,
    why text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    decided_by uuid,
    decided_at timestamp with time zone,
    order_id uuid,
    version bigint NOT NULL,
    contact_sealed bytea,
    CONSTRAINT a_buyer_never_approves_their_own CHECK ((decided_by <> buyer_id)),
    CONSTRAINT decided_purchase_says_when CHECK (((state = ANY (ARRAY['pending'::text, 'withdrawn'::text])) = (decided_at IS NULL))),
    CONSTRAINT ordered_purchase_names_its_order CHECK (((state = 'ordered'::text) = (order_id IS NOT NULL))),
    CONSTRAINT purchase_state_is_known CHECK ((state = ANY (ARRAY['pending'::text, 'approved'::text, 'ordered'::text, 'refused'::text, 'rejected'::text, 'withdrawn'::text]))),
    CONSTRAINT purchase_total_never_negative CHECK ((total_minor >= 0))
);

ALTER TABLE ONLY business.purchase FORCE ROW LEVEL SECURITY;

CREATE TABLE business.receipt (
    cell integer NOT NULL,
    id uuid NOT NULL,
    bank_reference text NOT NULL,
    company_id uuid,
    remittance text NOT NULL,
    received_on date NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    used_minor bigint DEFAULT 0 NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT receipt_amount_is_positive CHECK ((amount_minor > 0)),
    CONSTRAINT receipt_never_used_beyond_itself CHECK (((used_minor >= 0) AND (used_minor <= amount_minor))),
    CONSTRAINT used_receipt_names_its_company CHECK (((used_minor = 0) OR (company_id IS NOT NULL)))
);

ALTER TABLE ONLY business.receipt FORCE ROW LEVEL SECURITY;

CREATE TABLE business.series (
    cell integer NOT NULL,
    code text NOT NULL,
    year integer NOT NULL,
    last integer NOT NULL
);

CREATE TABLE business.settlement (
    cell integer NOT NULL,
    id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    receipt_id uuid,
    credit_note_id uuid,
    amount_minor bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    CONSTRAINT settled_by_one_of_the_two CHECK ((num_nonnulls(receipt_id, credit_note_id) = 1)),
    CONSTRAINT settlement_amount_is_positive CHECK ((amount_minor > 0))
);

ALTER TABLE ONLY business.settlement FORCE ROW LEVEL SECURITY;

CREATE TABLE catalog.category (
    id uuid NOT NULL,
    code text NOT NULL,
    parent_id uuid,
    path uuid[] NOT NULL,
    names jsonb NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT category_is_not_its_own_parent CHECK ((parent_id IS DISTINCT FROM id)),
    CONSTRAINT category_path_ends_with_itself CHECK ((path[cardinality(path)] = id))
);

CREATE TABLE catalog.media (
    product_id uuid NOT NULL,
    place integer NOT NULL,
    url text NOT NULL,
    role text NOT NULL,
    alt text NOT NULL,
    CONSTRAINT media_role_is_known CHECK ((role = ANY (ARRAY['main'::text, 'gallery'::text, 'document'::text])))
)
PARTITION BY HASH (product_id);

CREATE TABLE catalog.product (
    id uuid NOT NULL,
    code text NOT NULL,
    state text DEFAULT 'offered'::text NOT NULL,
    brand text NOT NULL,
    attributes jsonb NOT NULL,
    released_on date,
    version bigint NOT NULL,
    digest bytea NOT NULL,
    CONSTRAINT product_state_is_known CHECK ((state = ANY (ARRAY['offered'::text, 'withdrawn'::text])))
)
PARTITION BY HASH (id);

CREATE TABLE catalog.product_category (
    product_id uuid NOT NULL,
    place integer NOT NULL,
    category_id uuid NOT NULL
)
PARTITION BY HASH (product_id);

CREATE TABLE catalog.product_code (
    code text NOT NULL,
    product_id uuid NOT NULL,
    CONSTRAINT product_code_is_not_empty CHECK ((code <> ''::text))
)
PARTITION BY HASH (code);

CREATE TABLE catalog.product_text (
    product_id uuid NOT NULL,
    locale text NOT NULL,
    title text NOT NULL,
    summary text NOT NULL,
    description text NOT NULL,
    CONSTRAINT product_title_is_not_empty CHECK ((title <> ''::text))
)
PARTITION BY HASH (product_id);

CREATE TABLE catalog.sku (
    sku text NOT NULL,
    variant_id uuid NOT NULL,
    product_id uuid NOT NULL,
    category_id uuid,
    offered boolean DEFAULT true NOT NULL,
    seller_id uuid,
    tax_class text DEFAULT 'standard'::text NOT NULL,
    weight_grams integer DEFAULT 0 NOT NULL,
    delivery text DEFAULT 'ship'::text NOT NULL,
    terms_version bigint DEFAULT 0 NOT NULL,
    CONSTRAINT sku_is_not_empty CHECK ((sku <> ''::text))
)
PARTITION BY HASH (sku);

ALTER TABLE ONLY catalog.sku FORCE ROW LEVEL SECURITY;

CREATE TABLE catalog.variant (
    product_id uuid NOT NULL,
    id uuid NOT NULL,
    place integer NOT NULL,
    sku text NOT NULL,
    options jsonb NOT NULL,
    barcodes text[] NOT NULL
)
PARTITION BY HASH (product_id);

CREATE TABLE checkout.allowance (
    cell integer NOT NULL,
    name text NOT NULL,
    used bigint DEFAULT 0 NOT NULL,
    most bigint NOT NULL,
    since timestamp with time zone,
    CONSTRAINT allowance_never_exceeded CHECK ((used <= most)),
    CONSTRAINT allowance_never_negative CHECK ((used >= 0))
)
PARTITION BY HASH (name);

ALTER TABLE ONLY checkout.allowance FORCE ROW LEVEL SECURITY;

CREATE TABLE checkout.checkout (
    cell integer NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL,
    customer_id uuid,
    total_minor bigint NOT NULL,
    currency text NOT NULL,
    event_id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    stepped_at timestamp with time zone NOT NULL,
    claim_names text[] DEFAULT '{}'::text[] NOT NULL,
    claim_amounts bigint[] DEFAULT '{}'::bigint[] NOT NULL,
    challenge_url text DEFAULT ''::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    held jsonb,
    CONSTRAINT checkout_holds_its_order_until_it_ends CHECK (((state = ANY (ARRAY['authorizing'::text, 'challenged'::text, 'compensating'::text])) = (held IS NOT NULL))),
    CONSTRAINT checkout_state_is_known CHECK ((state = ANY (ARRAY['authorizing'::text, 'challenged'::text, 'compensating'::text, 'placed'::text, 'declined'::text, 'expired'::text, 'compensated'::text]))),
    CONSTRAINT claims_are_parallel CHECK ((cardinality(claim_names) = cardinality(claim_amounts)))
)
PARTITION BY RANGE (id);

CREATE TABLE closing.period (
    cell integer NOT NULL,
    period text NOT NULL,
    since timestamp with time zone NOT NULL,
    until timestamp with time zone NOT NULL,
    state text NOT NULL,
    transfers bigint DEFAULT 0 NOT NULL,
    balance text DEFAULT ''::text NOT NULL,
    digest bytea,
    closed_at timestamp with time zone,
    version integer NOT NULL,
    CONSTRAINT closed_period_has_its_balance CHECK (((state <> 'closed'::text) OR ((digest IS NOT NULL) AND (closed_at IS NOT NULL)))),
    CONSTRAINT period_is_a_month CHECK (((period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'::text) AND (since < until))),
    CONSTRAINT period_state_is_known CHECK ((state = ANY (ARRAY['closing'::text, 'closed'::text, 'reopened'::text])))
);

CREATE TABLE digital.article (
    cell integer NOT NULL,
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    licensed boolean NOT NULL,
    object text DEFAULT ''::text NOT NULL,
    file_name text DEFAULT ''::text NOT NULL,
    media_type text DEFAULT ''::text NOT NULL,
    downloads_most integer DEFAULT 0 NOT NULL,
    days integer DEFAULT 0 NOT NULL,
    version bigint NOT NULL,
    low_at integer DEFAULT 10 NOT NULL,
    is_low boolean DEFAULT false NOT NULL,
    CONSTRAINT downloads_most_never_negative CHECK ((downloads_most >= 0))
);

CREATE TABLE digital.entitlement (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    line integer NOT NULL,
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    quantity integer NOT NULL,
    revoked integer DEFAULT 0 NOT NULL,
    state text NOT NULL,
    object text DEFAULT ''::text NOT NULL,
    file_name text DEFAULT ''::text NOT NULL,
    media_type text DEFAULT ''::text NOT NULL,
    downloads integer DEFAULT 0 NOT NULL,
    downloads_most integer DEFAULT 0 NOT NULL,
    handed_out_at timestamp with time zone,
    expires_at timestamp with time zone,
    version bigint NOT NULL,
    CONSTRAINT downloads_within_most CHECK ((downloads <= downloads_most)),
    CONSTRAINT entitlement_state_is_known CHECK ((state = ANY (ARRAY['waiting'::text, 'handed_out'::text, 'revoked'::text, 'cancelled'::text]))),
    CONSTRAINT revoked_within_quantity CHECK (((revoked >= 0) AND (revoked <= quantity)))
)
PARTITION BY RANGE (order_id);

CREATE TABLE digital.licence (
    cell integer NOT NULL,
    variant_id uuid NOT NULL,
    code text NOT NULL,
    state text DEFAULT 'free'::text NOT NULL,
    order_id uuid,
    line integer,
    CONSTRAINT licence_is_free_or_of_an_order CHECK ((((state = 'free'::text) = (order_id IS NULL)) AND ((order_id IS NULL) = (line IS NULL)))),
    CONSTRAINT licence_state_is_known CHECK ((state = ANY (ARRAY['free'::text, 'handed_out'::text, 'revoked'::text])))
);

CREATE TABLE digital.secret (
    cell integer NOT NULL,
    secret bytea,
    sealed bytea
);

CREATE TABLE fulfilment.inbox (
    cell integer NOT NULL,
    carrier text NOT NULL,
    event_id text NOT NULL,
    kind text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone
);

CREATE TABLE fulfilment.parcel (
    cell integer NOT NULL,
    shipment_id uuid NOT NULL,
    order_id uuid NOT NULL,
    reference uuid NOT NULL,
    carrier text NOT NULL,
    state text NOT NULL,
    tracking text DEFAULT ''::text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    looked_at timestamp with time zone NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT carried_parcel_has_its_number CHECK (((state = ANY (ARRAY['asked'::text, 'refused'::text, 'given_up'::text])) OR (tracking <> ''::text))),
    CONSTRAINT parcel_state_is_known CHECK ((state = ANY (ARRAY['asked'::text, 'booked'::text, 'refused'::text, 'given_up'::text, 'under_way'::text, 'delivered'::text, 'lost'::text])))
)
PARTITION BY RANGE (shipment_id);

CREATE TABLE fulfilment.shipment (
    cell integer NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    warehouse text NOT NULL,
    seller_id uuid,
    state text NOT NULL,
    carrier text DEFAULT ''::text NOT NULL,
    tracking text DEFAULT ''::text NOT NULL,
    planned_at timestamp with time zone NOT NULL,
    picked_at timestamp with time zone,
    packed_at timestamp with time zone,
    shipped_at timestamp with time zone,
    delivered_at timestamp with time zone,
    lost_at timestamp with time zone,
    cancelled_at timestamp with time zone,
    version bigint NOT NULL,
    under_way_at timestamp with time zone,
    CONSTRAINT shipment_state_is_known CHECK ((state = ANY (ARRAY['planned'::text, 'picked'::text, 'packed'::text, 'shipped'::text, 'delivered'::text, 'lost'::text, 'cancelled'::text]))),
    CONSTRAINT shipped_shipment_says_when CHECK (((state <> ALL (ARRAY['shipped'::text, 'delivered'::text, 'lost'::text])) OR (shipped_at IS NOT NULL)))
)
PARTITION BY RANGE (id);

ALTER TABLE ONLY fulfilment.shipment FORCE ROW LEVEL SECURITY;

CREATE TABLE fulfilment.shipment_line (
    cell integer NOT NULL,
    shipment_id uuid NOT NULL,
    line integer NOT NULL,
    sku text NOT NULL,
    variant_id uuid NOT NULL,
    quantity integer NOT NULL,
    CONSTRAINT shipped_quantity_never_negative CHECK ((quantity >= 0))
)
PARTITION BY RANGE (shipment_id);

ALTER TABLE ONLY fulfilment.shipment_line FORCE ROW LEVEL SECURITY;

CREATE TABLE fulfilment.waiting (
    cell integer NOT NULL,
    variant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    line integer NOT NULL,
    sku text NOT NULL,
    seller_id uuid,
    warehouse text NOT NULL,
    quantity integer NOT NULL,
    CONSTRAINT waiting_quantity_is_positive CHECK ((quantity > 0))
)
WITH (fillfactor='70');

ALTER TABLE ONLY fulfilment.waiting FORCE ROW LEVEL SECURITY;

CREATE TABLE identity.address (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    country text NOT NULL,
    address_sealed bytea NOT NULL,
    usual boolean NOT NULL,
    created_at timestamp with time zone NOT NULL
);

CREATE TABLE identity.api_key (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    label text NOT NULL,
    prefix text NOT NULL,
    secret_hash bytea NOT NULL,
    scopes text[] NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    ended_at timestamp with time zone,
    CONSTRAINT api_key_label_is_a_word CHECK ((label ~ '^[a-z0-9][a-z0-9-]{0,39}$'::text))
);

CREATE UNLOGGED TABLE identity.attempt (
    bucket bytea NOT NULL,
    tries integer NOT NULL,
    ends_at timestamp with time zone NOT NULL
)
WITH (fillfactor='70');

CREATE TABLE identity.consent (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    purpose text NOT NULL,
    text_version text NOT NULL,
    how text NOT NULL,
    given_at timestamp with time zone NOT NULL,
    withdrawn_at timestamp with time zone,
    withdrawn_how text DEFAULT ''::text NOT NULL,
    CONSTRAINT consent_purpose_is_a_word CHECK ((purpose ~ '^[a-z][a-z0-9_]{0,39}$'::text))
);

CREATE TABLE identity.device (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL
);

CREATE TABLE identity.external_login (
    provider text NOT NULL,
    subject_blind bytea NOT NULL,
    person_id uuid NOT NULL,
    linked_at timestamp with time zone NOT NULL
);

CREATE TABLE identity.letter (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    about text NOT NULL,
    email_sealed bytea,
    created_at timestamp with time zone NOT NULL,
    next_at timestamp with time zone NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    sent_at timestamp with time zone,
    asked_hash bytea
);

CREATE TABLE identity.link (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    purpose text NOT NULL,
    secret_hash bytea NOT NULL,
    email_sealed bytea,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    asked_hash bytea,
    CONSTRAINT link_purpose_is_known CHECK ((purpose = ANY (ARRAY['verify'::text, 'reset'::text, 'sign_in'::text, 'email'::text])))
);

CREATE TABLE identity.login (
    person_id uuid NOT NULL,
    email_sealed bytea NOT NULL,
    email_blind bytea NOT NULL
);

CREATE TABLE identity.membership (
    person_id uuid NOT NULL,
    role text NOT NULL,
    tenant text NOT NULL,
    granted_at timestamp with time zone NOT NULL,
    granted_by text NOT NULL
);

ALTER TABLE ONLY identity.membership FORCE ROW LEVEL SECURITY;

CREATE TABLE identity.passkey (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    credential_id bytea NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    backed_up boolean NOT NULL,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

CREATE TABLE identity.password (
    person_id uuid NOT NULL,
    hash text NOT NULL,
    changed_at timestamp with time zone NOT NULL,
    CONSTRAINT password_is_hashed_by_argon2id CHECK ((hash ~~ '$argon2id$%'::text))
);

CREATE TABLE identity.person (
    id uuid NOT NULL,
    cell integer NOT NULL,
    kind text DEFAULT 'person'::text NOT NULL,
    state text DEFAULT 'unverified'::text NOT NULL,
    name_sealed bytea,
    phone_sealed bytea,
    phone_blind bytea,
    language text DEFAULT 'en'::text NOT NULL,
    market text DEFAULT ''::text NOT NULL,
    currency text DEFAULT ''::text NOT NULL,
    version bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone NOT NULL,
    verified_at timestamp with time zone,
    region text DEFAULT ''::text NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT person_kind_is_known CHECK ((kind = ANY (ARRAY['person'::text, 'service'::text]))),
    CONSTRAINT person_state_is_known CHECK ((state = ANY (ARRAY['unverified'::text, 'active'::text, 'suspended'::text, 'erased'::text])))
)
WITH (fillfactor='80');

CREATE TABLE identity.recovery_code (
    person_id uuid NOT NULL,
    hash bytea NOT NULL,
    used_at timestamp with time zone
);

CREATE TABLE identity.residence (
    cell integer NOT NULL,
    region text NOT NULL,
    takes text[] NOT NULL,
    CONSTRAINT cell_takes_people_of_its_region CHECK ((region = ANY (takes)))
);

CREATE TABLE identity.session (
    id uuid NOT NULL,
    person_id uuid NOT NULL,
    secret_hash bytea NOT NULL,
    methods text[] NOT NULL,
    place_sealed bytea,
    began_at timestamp with time zone NOT NULL,
    proved_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    idle_seconds integer NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    why text DEFAULT ''::text NOT NULL
)
WITH (fillfactor='70');

CREATE TABLE identity.totp (
    person_id uuid NOT NULL,
    seed_sealed bytea NOT NULL,
    step bigint DEFAULT 0 NOT NULL,
    confirmed_at timestamp with time zone
);

CREATE TABLE jobs.cursor (
    cell integer NOT NULL,
    name text NOT NULL,
    txid bigint NOT NULL,
    seq bigint NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE jobs.run (
    name text NOT NULL,
    at timestamp with time zone NOT NULL,
    done bigint NOT NULL,
    seconds double precision NOT NULL,
    error text
)
WITH (fillfactor='50');

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
    dropped boolean DEFAULT false NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE log.engine (
    id uuid NOT NULL,
    role text NOT NULL,
    product text NOT NULL,
    address text NOT NULL,
    url_sealed bytea,
    one_writer boolean NOT NULL,
    live boolean NOT NULL,
    CONSTRAINT engine_address_has_no_password CHECK ((address !~ '@'::text))
);

CREATE TABLE log.generation (
    projection text NOT NULL,
    generation integer NOT NULL,
    version integer NOT NULL,
    shards integer NOT NULL,
    state text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    live_at timestamp with time zone,
    retired_at timestamp with time zone,
    engine uuid
);

CREATE TABLE log.idempotency (
    cell integer NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    event_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    answer jsonb,
    at timestamp with time zone DEFAULT now() NOT NULL
)
PARTITION BY HASH (key);

ALTER TABLE ONLY log.idempotency FORCE ROW LEVEL SECURITY;

CREATE TABLE log.lease (
    name text NOT NULL,
    holder text NOT NULL,
    fence bigint NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

CREATE TABLE log.move (
    id uuid NOT NULL,
    role text NOT NULL,
    from_engine uuid NOT NULL,
    to_engine uuid NOT NULL,
    state text NOT NULL,
    began_by text NOT NULL,
    began_at timestamp with time zone DEFAULT now() NOT NULL,
    switched_by text,
    switched_at timestamp with time zone,
    ended_by text,
    ended_at timestamp with time zone,
    proof json,
    CONSTRAINT move_is_switched_with_a_proof CHECK (((state <> ALL (ARRAY['switched'::text, 'finished'::text])) OR ((proof IS NOT NULL) AND (switched_at IS NOT NULL)))),
    CONSTRAINT move_leads_elsewhere CHECK ((from_engine <> to_engine)),
    CONSTRAINT move_state_is_known CHECK ((state = ANY (ARRAY['building'::text, 'switched'::text, 'finished'::text, 'given_up'::text])))
);

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
    updated_at timestamp with time zone DEFAULT now() NOT NULL
)
WITH (fillfactor='50');

CREATE TABLE log.projection (
    name text NOT NULL,
    live integer
);

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
    replay boolean DEFAULT false NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE log.reader (
    cell integer NOT NULL,
    kind text NOT NULL,
    holder text NOT NULL,
    source text NOT NULL,
    why text NOT NULL,
    txid bigint,
    seq bigint,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT reader_kind_is_known CHECK ((kind = ANY (ARRAY['projector'::text, 'relay'::text]))),
    CONSTRAINT reader_source_is_known CHECK ((source = ANY (ARRAY['record'::text, 'stream'::text])))
);

CREATE TABLE log.verification (
    id bigint NOT NULL,
    projection text NOT NULL,
    generation integer NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    checked bigint NOT NULL,
    differing bigint NOT NULL,
    repaired bigint NOT NULL,
    seconds double precision NOT NULL,
    report jsonb NOT NULL
);

ALTER TABLE log.verification ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME log.verification_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE marketplace.payout (
    cell integer NOT NULL,
    id uuid NOT NULL,
    seller_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    state text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    reference text DEFAULT ''::text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT ended_payout_says_when CHECK (((state = 'asked'::text) = (ended_at IS NULL))),
    CONSTRAINT payout_is_positive CHECK ((amount_minor > 0)),
    CONSTRAINT payout_state_is_known CHECK ((state = ANY (ARRAY['asked'::text, 'done'::text, 'failed'::text])))
);

ALTER TABLE ONLY marketplace.payout FORCE ROW LEVEL SECURITY;

CREATE TABLE marketplace.seller (
    id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    country text NOT NULL,
    commission_permille integer NOT NULL,
    version bigint NOT NULL,
    holdback_days integer DEFAULT 14 NOT NULL,
    payout_days integer DEFAULT 7 NOT NULL,
    disputes text DEFAULT 'net'::text NOT NULL,
    CONSTRAINT commission_is_a_share CHECK (((commission_permille >= 0) AND (commission_permille <= 1000))),
    CONSTRAINT seller_kind_is_known CHECK ((kind = ANY (ARRAY['marketplace'::text, 'supplier'::text]))),
    CONSTRAINT seller_state_is_known CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text, 'closed'::text])))
);

ALTER TABLE ONLY marketplace.seller FORCE ROW LEVEL SECURITY;

CREATE TABLE marketplace.seller_order (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    state text NOT NULL,
    placed_at timestamp with time zone NOT NULL,
    settled_at timestamp with time zone,
    version bigint NOT NULL,
    CONSTRAINT seller_order_state_is_known CHECK ((state = ANY (ARRAY['placed'::text, 'part_shipped'::text, 'shipped'::text, 'delivered'::text, 'cancelled'::text]))),
    CONSTRAINT settled_seller_order_says_when CHECK (((state = ANY (ARRAY['delivered'::text, 'cancelled'::text])) = (settled_at IS NOT NULL)))
)
PARTITION BY RANGE (order_id);

ALTER TABLE ONLY marketplace.seller_order FORCE ROW LEVEL SECURITY;

CREATE TABLE marketplace.supplied (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    line integer NOT NULL,
    seller_id uuid NOT NULL,
    quantity integer NOT NULL,
    back integer DEFAULT 0 NOT NULL,
    cost_minor bigint NOT NULL,
    currency text NOT NULL,
    CONSTRAINT supplied_back_within_quantity CHECK (((back >= 0) AND (back <= quantity)))
)
PARTITION BY RANGE (order_id);

ALTER TABLE ONLY marketplace.supplied FORCE ROW LEVEL SECURITY;

CREATE TABLE marketplace.supply (
    cell integer NOT NULL,
    warehouse text NOT NULL,
    variant_id uuid NOT NULL,
    cost_minor bigint NOT NULL,
    currency text NOT NULL,
    CONSTRAINT supply_cost_never_negative CHECK ((cost_minor >= 0)),
    CONSTRAINT supply_currency_is_iso_4217 CHECK ((currency ~ '^[A-Z]{3}$'::text))
);

ALTER TABLE ONLY marketplace.supply FORCE ROW LEVEL SECURITY;

CREATE TABLE marketplace.warehouse (
    cell integer NOT NULL,
    code text NOT NULL,
    seller_id uuid NOT NULL,
    feed_sequence bigint DEFAULT 0 NOT NULL,
    fed_at timestamp with time zone
);

ALTER TABLE ONLY marketplace.warehouse FORCE ROW LEVEL SECURITY;

CREATE TABLE ordering.charge (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    charge integer NOT NULL,
    kind text NOT NULL,
    amount_minor bigint NOT NULL,
    note text NOT NULL
)
PARTITION BY RANGE (order_id);

CREATE TABLE ordering.contact (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    email text,
    name text,
    phone text,
    address jsonb,
    subject uuid,
    sealed bytea
)
PARTITION BY RANGE (order_id);

ALTER TABLE ONLY ordering.contact FORCE ROW LEVEL SECURITY;

CREATE TABLE ordering.line (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    line integer NOT NULL,
    product_id uuid NOT NULL,
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    category_id uuid,
    warehouse text NOT NULL,
    quantity integer NOT NULL,
    returned integer DEFAULT 0 NOT NULL,
    unit_minor bigint NOT NULL,
    amount_minor bigint NOT NULL,
    seller_id uuid,
    delivery text DEFAULT 'ship'::text NOT NULL,
    list_minor bigint,
    discount_minor bigint DEFAULT 0 NOT NULL,
    tax_minor bigint DEFAULT 0 NOT NULL,
    commission_minor bigint DEFAULT 0 NOT NULL,
    shipped integer DEFAULT 0 NOT NULL,
    cancelled integer DEFAULT 0 NOT NULL,
    CONSTRAINT line_amount_never_negative CHECK ((amount_minor >= 0)),
    CONSTRAINT line_quantity_is_positive CHECK ((quantity > 0)),
    CONSTRAINT returned_within_ordered CHECK (((returned >= 0) AND (returned <= quantity)))
)
PARTITION BY RANGE (order_id);

ALTER TABLE ONLY ordering.line FORCE ROW LEVEL SECURITY;

CREATE TABLE ordering.orders (
    cell integer NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL,
    customer_id uuid,
    market text NOT NULL,
    country text NOT NULL,
    currency text NOT NULL,
    placed_at timestamp with time zone NOT NULL,
    goods_minor bigint NOT NULL,
    charges_minor bigint NOT NULL,
    total_minor bigint NOT NULL,
    cancelled_at timestamp with time zone,
    cancelled_for text,
    version bigint NOT NULL,
    channel text DEFAULT 'direct'::text NOT NULL,
    paid_by text DEFAULT 'open'::text NOT NULL,
    company_id uuid,
    tax_minor bigint DEFAULT 0 NOT NULL,
    CONSTRAINT cancelled_order_says_when_and_why CHECK (((state = 'cancelled'::text) = ((cancelled_at IS NOT NULL) AND (cancelled_for IS NOT NULL)))),
    CONSTRAINT order_currency_is_iso_4217 CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT order_total_is_goods_plus_charges CHECK ((total_minor = (goods_minor + charges_minor)))
)
PARTITION BY RANGE (id);

ALTER TABLE ONLY ordering.orders FORCE ROW LEVEL SECURITY;

CREATE TABLE ordering.return_charge (
    cell integer NOT NULL,
    return_id uuid NOT NULL,
    charge integer NOT NULL,
    kind text NOT NULL,
    amount_minor bigint NOT NULL,
    note text NOT NULL
)
PARTITION BY RANGE (return_id);

CREATE TABLE ordering.return_line (
    cell integer NOT NULL,
    return_id uuid NOT NULL,
    line integer NOT NULL,
    product_id uuid NOT NULL,
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    category_id uuid,
    warehouse text NOT NULL,
    quantity integer NOT NULL,
    unit_minor bigint NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT return_amount_never_negative CHECK ((amount_minor >= 0)),
    CONSTRAINT return_quantity_is_positive CHECK ((quantity > 0))
)
PARTITION BY RANGE (return_id);

CREATE TABLE ordering.returns (
    cell integer NOT NULL,
    id uuid NOT NULL,
    order_id uuid,
    customer_id uuid,
    market text NOT NULL,
    country text NOT NULL,
    currency text NOT NULL,
    returned_at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    restocked boolean NOT NULL,
    total_minor bigint NOT NULL,
    kind text DEFAULT 'returned'::text NOT NULL
)
PARTITION BY RANGE (id);

ALTER TABLE ONLY ordering.returns FORCE ROW LEVEL SECURITY;

CREATE TABLE ordering.tax_line (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    place integer NOT NULL,
    line integer,
    jurisdiction text NOT NULL,
    name text NOT NULL,
    rate_ppm integer NOT NULL,
    base_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    included boolean NOT NULL,
    CONSTRAINT tax_rate_is_a_share CHECK (((rate_ppm >= 0) AND (rate_ppm <= 1000000)))
)
PARTITION BY RANGE (order_id);

CREATE TABLE ordering.transfer (
    cell integer NOT NULL,
    id uuid NOT NULL,
    about_id uuid NOT NULL,
    debit ordering.account NOT NULL,
    credit ordering.account NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    booked_at timestamp with time zone NOT NULL,
    debit_party text DEFAULT ''::text NOT NULL,
    credit_party text DEFAULT ''::text NOT NULL,
    CONSTRAINT transfer_amount_is_positive CHECK ((amount_minor > 0))
)
PARTITION BY RANGE (id);

ALTER TABLE ONLY ordering.transfer FORCE ROW LEVEL SECURITY;

CREATE TABLE payment.inbox (
    cell integer NOT NULL,
    provider text NOT NULL,
    event_id text NOT NULL,
    kind text NOT NULL,
    received_at timestamp with time zone NOT NULL,
    done_at timestamp with time zone
);

CREATE TABLE payment.method (
    cell integer NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    gateway text NOT NULL,
    token text NOT NULL,
    label text NOT NULL,
    kept_at timestamp with time zone NOT NULL
);

CREATE TABLE payment.operation (
    cell integer NOT NULL,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    kind text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    state text NOT NULL,
    about_id uuid NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone,
    CONSTRAINT operation_amount_is_positive CHECK ((amount_minor > 0)),
    CONSTRAINT operation_ends_when_it_is_answered CHECK (((state = 'asked'::text) = (ended_at IS NULL))),
    CONSTRAINT operation_kind_is_known CHECK ((kind = ANY (ARRAY['capture'::text, 'void'::text, 'refund'::text]))),
    CONSTRAINT operation_state_is_known CHECK ((state = ANY (ARRAY['asked'::text, 'done'::text, 'failed'::text, 'unclear'::text])))
)
PARTITION BY RANGE (id);

CREATE TABLE payment.payment (
    cell integer NOT NULL,
    id uuid NOT NULL,
    gateway text NOT NULL,
    reference text NOT NULL,
    label text NOT NULL,
    currency text NOT NULL,
    authorized_minor bigint NOT NULL,
    captured_minor bigint DEFAULT 0 NOT NULL,
    voided_minor bigint DEFAULT 0 NOT NULL,
    refunded_minor bigint DEFAULT 0 NOT NULL,
    disputed_minor bigint DEFAULT 0 NOT NULL,
    taking_minor bigint DEFAULT 0 NOT NULL,
    returning_minor bigint DEFAULT 0 NOT NULL,
    version bigint NOT NULL,
    state text GENERATED ALWAYS AS (
CASE
    WHEN ((captured_minor = 0) AND (voided_minor = authorized_minor)) THEN 'voided'::text
    WHEN (captured_minor = 0) THEN 'authorized'::text
    WHEN ((refunded_minor = captured_minor) AND ((captured_minor + voided_minor) = authorized_minor)) THEN 'refunded'::text
    WHEN (refunded_minor > 0) THEN 'part_refunded'::text
    WHEN ((captured_minor + voided_minor) = authorized_minor) THEN 'captured'::text
    ELSE 'part_captured'::text
END) STORED NOT NULL,
    CONSTRAINT authorized_is_positive CHECK ((authorized_minor > 0)),
    CONSTRAINT captured_within_authorized CHECK ((((captured_minor + voided_minor) + taking_minor) <= authorized_minor)),
    CONSTRAINT payment_amounts_never_negative CHECK (((captured_minor >= 0) AND (voided_minor >= 0) AND (refunded_minor >= 0) AND (disputed_minor >= 0) AND (taking_minor >= 0) AND (returning_minor >= 0))),
    CONSTRAINT refunded_within_captured CHECK ((((refunded_minor + disputed_minor) + returning_minor) <= captured_minor))
)
PARTITION BY RANGE (id);

CREATE TABLE payment.payout (
    cell integer NOT NULL,
    id uuid NOT NULL,
    gateway text NOT NULL,
    reference text NOT NULL,
    amount_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    currency text NOT NULL,
    paid_at timestamp with time zone NOT NULL,
    CONSTRAINT payout_amounts_are_positive CHECK (((amount_minor > 0) AND (fee_minor >= 0)))
);

CREATE TABLE payment.settlement (
    cell integer NOT NULL,
    gateway text NOT NULL,
    cursor text NOT NULL
);

CREATE TABLE pricing.customer (
    customer_id uuid NOT NULL,
    customer_groups text[] NOT NULL,
    previous text[] DEFAULT '{}'::text[] NOT NULL,
    since timestamp with time zone NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE pricing.list_price (
    variant_id uuid NOT NULL,
    list text NOT NULL,
    from_quantities integer[] NOT NULL,
    amounts_minor bigint[] NOT NULL,
    version bigint NOT NULL,
    since timestamp with time zone,
    CONSTRAINT list_price_arrays_are_parallel CHECK ((cardinality(from_quantities) = cardinality(amounts_minor))),
    CONSTRAINT list_price_from_at_least_one_piece CHECK ((0 < ALL (from_quantities))),
    CONSTRAINT list_price_never_negative CHECK ((0 <= ALL (amounts_minor)))
)
PARTITION BY HASH (variant_id);

CREATE TABLE pricing.market (
    code text NOT NULL,
    currency text NOT NULL,
    country text DEFAULT ''::text NOT NULL,
    prices_include_tax boolean DEFAULT true NOT NULL,
    currencies text[] DEFAULT '{}'::text[] NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    CONSTRAINT market_currency_is_iso_4217 CHECK ((currency ~ '^[A-Z]{3}$'::text))
);

CREATE TABLE pricing.past_list (
    code text NOT NULL,
    version bigint NOT NULL,
    company_id uuid,
    definition jsonb NOT NULL,
    since timestamp with time zone,
    until timestamp with time zone NOT NULL
);

ALTER TABLE ONLY pricing.past_list FORCE ROW LEVEL SECURITY;

CREATE TABLE pricing.past_list_price (
    variant_id uuid NOT NULL,
    list text NOT NULL,
    version bigint NOT NULL,
    from_quantities integer[] NOT NULL,
    amounts_minor bigint[] NOT NULL,
    since timestamp with time zone,
    until timestamp with time zone NOT NULL
);

CREATE TABLE pricing.price (
    variant_id uuid NOT NULL,
    market text NOT NULL,
    product_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT price_never_negative CHECK ((amount_minor >= 0))
)
PARTITION BY HASH (variant_id);

CREATE TABLE pricing.price_list (
    code text NOT NULL,
    title text NOT NULL,
    market text NOT NULL,
    currency text NOT NULL,
    channel text NOT NULL,
    customer_group text NOT NULL,
    company_id uuid,
    rank integer NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    valid_until timestamp with time zone,
    active boolean NOT NULL,
    version bigint NOT NULL,
    since timestamp with time zone,
    CONSTRAINT price_list_currency_is_iso_4217 CHECK ((currency ~ '^[A-Z]{3}$'::text)),
    CONSTRAINT price_list_ends_after_it_begins CHECK ((valid_until > valid_from))
);

ALTER TABLE ONLY pricing.price_list FORCE ROW LEVEL SECURITY;

CREATE TABLE pricing.product (
    product_id uuid NOT NULL,
    version bigint NOT NULL
)
PARTITION BY HASH (product_id);

CREATE TABLE pricing.rate (
    base text NOT NULL,
    quote text NOT NULL,
    valid_from timestamp with time zone NOT NULL,
    rate numeric NOT NULL,
    source text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT rate_is_between_two_currencies CHECK (((base ~ '^[A-Z]{3}$'::text) AND (quote ~ '^[A-Z]{3}$'::text) AND (base <> quote))),
    CONSTRAINT rate_is_positive CHECK ((rate > (0)::numeric))
);

CREATE TABLE privacy.certificate (
    cell integer NOT NULL,
    erasure_id uuid NOT NULL,
    subject uuid NOT NULL,
    at timestamp with time zone NOT NULL,
    document text NOT NULL,
    signature bytea NOT NULL
);

CREATE TABLE privacy.erasure (
    cell integer NOT NULL,
    id uuid NOT NULL,
    subject uuid NOT NULL,
    subjects uuid[] NOT NULL,
    state text NOT NULL,
    actor text NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    due_at timestamp with time zone NOT NULL,
    erased_at timestamp with time zone,
    ended_at timestamp with time zone,
    log_position text DEFAULT ''::text NOT NULL,
    orders uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    returns uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    known_sealed bytea,
    removed jsonb DEFAULT '{}'::jsonb NOT NULL,
    waits_for text DEFAULT ''::text NOT NULL,
    CONSTRAINT ended_erasure_knows_nothing CHECK (((ended_at IS NULL) OR (known_sealed IS NULL))),
    CONSTRAINT ended_erasure_says_when CHECK (((state = ANY (ARRAY['withdrawn'::text, 'certified'::text])) = (ended_at IS NOT NULL))),
    CONSTRAINT erasure_state_is_known CHECK ((state = ANY (ARRAY['asked'::text, 'withdrawn'::text, 'erased'::text, 'cleared'::text, 'certified'::text, 'found'::text])))
);

CREATE TABLE privacy.found_by (
    cell integer NOT NULL,
    subject uuid NOT NULL,
    order_id uuid NOT NULL,
    email_blind bytea NOT NULL
);

CREATE TABLE privacy.person_key (
    subject uuid NOT NULL,
    ring_key_id integer NOT NULL,
    wrapped bytea,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    destroyed_at timestamp with time zone,
    CONSTRAINT destroyed_key_is_gone CHECK (((destroyed_at IS NULL) = (wrapped IS NOT NULL)))
);

CREATE TABLE privacy.restriction (
    subject uuid NOT NULL,
    since timestamp with time zone NOT NULL,
    by_whom text NOT NULL
);

CREATE TABLE privacy.ring_key (
    id integer NOT NULL,
    purpose text NOT NULL,
    state text NOT NULL,
    wrapped_by text NOT NULL,
    wrapped bytea,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    retired_at timestamp with time zone,
    CONSTRAINT retired_ring_key_is_no_longer_held CHECK (((state = 'retired'::text) = (wrapped IS NULL))),
    CONSTRAINT ring_key_purpose_is_known CHECK ((purpose = ANY (ARRAY['person'::text, 'blind'::text]))),
    CONSTRAINT ring_key_state_is_known CHECK ((state = ANY (ARRAY['active'::text, 'retiring'::text, 'retired'::text])))
);

ALTER TABLE privacy.ring_key ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME privacy.ring_key_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE privacy.signing_key (
    cell integer NOT NULL,
    public bytea NOT NULL,
    sealed bytea NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL
);

CREATE TABLE promotion.coupon (
    code text NOT NULL,
    promotion text NOT NULL,
    most bigint,
    most_per_customer bigint,
    starts_at timestamp with time zone,
    ends_at timestamp with time zone,
    customer_id uuid,
    active boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT coupon_ends_after_it_begins CHECK ((ends_at > starts_at)),
    CONSTRAINT coupon_is_written_in_capitals CHECK (((code = upper(code)) AND (code <> ''::text))),
    CONSTRAINT coupon_limits_are_positive CHECK (((most > 0) AND (most_per_customer > 0)))
)
PARTITION BY HASH (code);

CREATE TABLE promotion.past (
    code text NOT NULL,
    version bigint NOT NULL,
    definition jsonb NOT NULL,
    since timestamp with time zone,
    until timestamp with time zone NOT NULL
);

CREATE TABLE promotion.promotion (
    code text NOT NULL,
    definition jsonb NOT NULL,
    active boolean NOT NULL,
    ends_at timestamp with time zone,
    version bigint NOT NULL,
    off_at timestamp with time zone,
    since timestamp with time zone
);

CREATE TABLE shipping.method (
    code text NOT NULL,
    definition jsonb NOT NULL,
    active boolean NOT NULL,
    version bigint NOT NULL,
    since timestamp with time zone
);

CREATE TABLE shipping.past_method (
    code text NOT NULL,
    version bigint NOT NULL,
    definition jsonb NOT NULL,
    since timestamp with time zone,
    until timestamp with time zone NOT NULL
);

CREATE TABLE shipping.zone (
    code text NOT NULL,
    definition jsonb NOT NULL,
    version bigint NOT NULL
);

CREATE TABLE stock.level (
    cell integer NOT NULL,
    variant_id uuid NOT NULL,
    warehouse text NOT NULL,
    available integer NOT NULL,
    version bigint NOT NULL,
    reserved integer DEFAULT 0 NOT NULL,
    CONSTRAINT stock_never_negative CHECK ((available >= 0))
)
PARTITION BY HASH (variant_id);

ALTER TABLE ONLY stock.level FORCE ROW LEVEL SECURITY;

CREATE TABLE stock.low (
    cell integer NOT NULL,
    variant_id uuid NOT NULL,
    low boolean NOT NULL,
    version bigint NOT NULL
)
WITH (fillfactor='70');

CREATE TABLE stock.reservation (
    cell integer NOT NULL,
    id uuid NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    variants uuid[] NOT NULL,
    warehouses text[] NOT NULL,
    quantities integer[] NOT NULL,
    CONSTRAINT reservation_arrays_are_parallel CHECK (((cardinality(variants) = cardinality(warehouses)) AND (cardinality(variants) = cardinality(quantities))))
)
WITH (fillfactor='70');

CREATE TABLE stock.routing (
    cell integer NOT NULL,
    market text NOT NULL,
    allocation text NOT NULL,
    supplying text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT allocation_is_known CHECK ((allocation = ANY (ARRAY['nearest'::text, 'cheapest'::text, 'whole'::text]))),
    CONSTRAINT supplying_is_known CHECK ((supplying = ANY (ARRAY['nearest'::text, 'cheapest'::text, 'fastest'::text, 'priority'::text])))
);

CREATE TABLE stock.threshold (
    cell integer NOT NULL,
    variant_id uuid NOT NULL,
    pieces integer NOT NULL,
    CONSTRAINT threshold_is_a_count CHECK ((pieces >= 0))
);

CREATE TABLE stock.warehouse (
    cell integer NOT NULL,
    code text NOT NULL,
    rank integer NOT NULL,
    kind text DEFAULT 'own'::text NOT NULL,
    country text DEFAULT ''::text NOT NULL,
    expected_on date,
    parcel_minor bigint DEFAULT 0 NOT NULL,
    lead_days integer DEFAULT 0 NOT NULL
);

ALTER TABLE ONLY stock.warehouse FORCE ROW LEVEL SECURITY;

CREATE TABLE subscription.charge (
    cell integer NOT NULL,
    subscription_id uuid NOT NULL,
    period integer NOT NULL,
    attempt integer NOT NULL,
    state text NOT NULL,
    plan text NOT NULL,
    price_minor bigint NOT NULL,
    credit_used_minor bigint NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    period_start timestamp with time zone NOT NULL,
    period_end timestamp with time zone NOT NULL,
    asked_at timestamp with time zone NOT NULL,
    order_id uuid,
    why text NOT NULL,
    CONSTRAINT charge_never_negative CHECK (((amount_minor >= 0) AND (credit_used_minor >= 0))),
    CONSTRAINT charge_state_is_known CHECK ((state = ANY (ARRAY['asked'::text, 'paid'::text, 'declined'::text])))
);

CREATE TABLE subscription.contact (
    cell integer NOT NULL,
    subscription_id uuid NOT NULL,
    contact jsonb,
    method text NOT NULL,
    subject uuid,
    sealed bytea
);

CREATE TABLE subscription.plan (
    code text NOT NULL,
    title text NOT NULL,
    sku text NOT NULL,
    delivery text NOT NULL,
    unit text NOT NULL,
    units integer NOT NULL,
    trial_days integer NOT NULL,
    markets text[] NOT NULL,
    currencies text[] NOT NULL,
    amounts_minor bigint[] NOT NULL,
    offered boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT plan_price_never_negative CHECK ((0 <= ALL (amounts_minor))),
    CONSTRAINT plan_prices_are_parallel CHECK (((cardinality(markets) = cardinality(currencies)) AND (cardinality(markets) = cardinality(amounts_minor)))),
    CONSTRAINT plan_unit_is_known CHECK ((unit = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'year'::text]))),
    CONSTRAINT plan_units_are_positive CHECK ((units > 0)),
    CONSTRAINT trial_days_never_negative CHECK ((trial_days >= 0))
);

CREATE TABLE subscription.subscription (
    cell integer NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    plan text NOT NULL,
    next_plan text NOT NULL,
    quantity integer NOT NULL,
    market text NOT NULL,
    currency text NOT NULL,
    price_minor bigint NOT NULL,
    state text NOT NULL,
    period integer NOT NULL,
    period_start timestamp with time zone NOT NULL,
    period_end timestamp with time zone NOT NULL,
    anchor timestamp with time zone NOT NULL,
    anchor_period integer NOT NULL,
    credit_minor bigint NOT NULL,
    paused_at timestamp with time zone,
    failed_at timestamp with time zone,
    attempt integer NOT NULL,
    charging boolean NOT NULL,
    noticed_period integer NOT NULL,
    next_at timestamp with time zone,
    why text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT ended_subscription_is_left_alone CHECK (((state <> 'ended'::text) OR ((next_at IS NULL) AND (NOT charging)))),
    CONSTRAINT past_due_subscription_says_since_when CHECK (((state = 'past_due'::text) = (failed_at IS NOT NULL))),
    CONSTRAINT paused_subscription_says_since_when CHECK (((state = 'paused'::text) = (paused_at IS NOT NULL))),
    CONSTRAINT period_ends_after_it_begins CHECK ((period_end >= period_start)),
    CONSTRAINT subscription_credit_never_negative CHECK ((credit_minor >= 0)),
    CONSTRAINT subscription_price_never_negative CHECK ((price_minor >= 0)),
    CONSTRAINT subscription_quantity_is_positive CHECK ((quantity > 0)),
    CONSTRAINT subscription_state_is_known CHECK ((state = ANY (ARRAY['trialing'::text, 'active'::text, 'paused'::text, 'past_due'::text, 'cancelled'::text, 'ended'::text])))
);

CREATE TABLE webhook.endpoint (
    cell integer NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    secret text,
    kinds text[] NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    why text DEFAULT ''::text NOT NULL,
    txid bigint NOT NULL,
    seq bigint NOT NULL,
    delivered bigint DEFAULT 0 NOT NULL,
    delivered_at timestamp with time zone,
    failures integer DEFAULT 0 NOT NULL,
    failing_since timestamp with time zone,
    resting_until timestamp with time zone,
    version bigint NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    secret_sealed bytea,
    CONSTRAINT endpoint_state_is_known CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text, 'disabled'::text]))),
    CONSTRAINT endpoint_wants_something CHECK ((cardinality(kinds) > 0))
)
WITH (fillfactor='70');

CREATE TABLE webhook.parked (
    cell integer NOT NULL,
    endpoint_id uuid NOT NULL,
    txid bigint NOT NULL,
    seq bigint NOT NULL,
    event_id uuid NOT NULL,
    key text NOT NULL,
    kind text NOT NULL,
    message text NOT NULL,
    state text DEFAULT 'waiting'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    error text DEFAULT ''::text NOT NULL,
    first_at timestamp with time zone DEFAULT now() NOT NULL,
    next_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT parked_state_is_known CHECK ((state = ANY (ARRAY['waiting'::text, 'dead'::text])))
);

ALTER TABLE ONLY aftersale.return_case_line
    ADD CONSTRAINT one_row_per_line_of_a_return_case PRIMARY KEY (cell, case_id, line);

ALTER TABLE ONLY aftersale.return_case
    ADD CONSTRAINT return_case_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY approval.request
    ADD CONSTRAINT approval_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY approval.change
    ADD CONSTRAINT change_is_noted_once PRIMARY KEY (cell, id);

ALTER TABLE ONLY approval.threshold
    ADD CONSTRAINT threshold_of_a_scope_is_one PRIMARY KEY (kind, scope);

ALTER TABLE ONLY audit.archive
    ADD CONSTRAINT archive_holds_a_class_once PRIMARY KEY (cell, partition, class);

ALTER TABLE ONLY audit.entry_batch
    ADD CONSTRAINT entry_batch_seq_is_unique PRIMARY KEY (cell, seq);

ALTER TABLE ONLY audit.entry
    ADD CONSTRAINT entry_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY audit.link
    ADD CONSTRAINT link_place_is_unique PRIMARY KEY (cell, place);

ALTER TABLE ONLY audit.head
    ADD CONSTRAINT one_head_per_chain PRIMARY KEY (cell);

ALTER TABLE ONLY audit.root
    ADD CONSTRAINT root_number_is_unique PRIMARY KEY (cell, number);

ALTER TABLE ONLY audit.signing_key
    ADD CONSTRAINT signing_key_is_unique PRIMARY KEY (public);

ALTER TABLE ONLY business.receipt
    ADD CONSTRAINT bank_reference_is_unique UNIQUE (cell, bank_reference);

ALTER TABLE ONLY business.buyer
    ADD CONSTRAINT buyer_email_is_unique_in_its_company UNIQUE (cell, company_id, email);

ALTER TABLE ONLY business.buyer
    ADD CONSTRAINT buyer_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY business.company
    ADD CONSTRAINT company_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY business.credit_note
    ADD CONSTRAINT credit_note_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY business.credit_note
    ADD CONSTRAINT credit_note_number_is_unique UNIQUE (cell, number);

ALTER TABLE ONLY business.invoice
    ADD CONSTRAINT invoice_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY business.invoice
    ADD CONSTRAINT invoice_number_is_unique UNIQUE (cell, number);

ALTER TABLE ONLY business.negotiation
    ADD CONSTRAINT negotiation_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY business.credit_note
    ADD CONSTRAINT one_credit_note_per_cause UNIQUE (cell, about_id);

ALTER TABLE ONLY business.invoice
    ADD CONSTRAINT one_invoice_per_order UNIQUE (cell, order_id);

ALTER TABLE ONLY business.issuer
    ADD CONSTRAINT one_issuer_per_cell PRIMARY KEY (cell);

ALTER TABLE ONLY business.series
    ADD CONSTRAINT one_row_per_series_and_year PRIMARY KEY (cell, code, year);

ALTER TABLE ONLY business.purchase
    ADD CONSTRAINT purchase_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY business.receipt
    ADD CONSTRAINT receipt_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY business.negotiation_round
    ADD CONSTRAINT rounds_are_numbered PRIMARY KEY (cell, negotiation_id, round);

ALTER TABLE ONLY business.settlement
    ADD CONSTRAINT settlement_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY catalog.category
    ADD CONSTRAINT category_code_is_unique UNIQUE (code);

ALTER TABLE ONLY catalog.category
    ADD CONSTRAINT category_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY catalog.media
    ADD CONSTRAINT media_are_ordered PRIMARY KEY (product_id, place);

ALTER TABLE ONLY catalog.product_text
    ADD CONSTRAINT one_text_per_product_and_locale PRIMARY KEY (product_id, locale);

ALTER TABLE ONLY catalog.product_category
    ADD CONSTRAINT product_categories_are_ordered PRIMARY KEY (product_id, place);

ALTER TABLE ONLY catalog.product_code
    ADD CONSTRAINT product_code_is_unique PRIMARY KEY (code);

ALTER TABLE ONLY catalog.product
    ADD CONSTRAINT product_id_is_unique PRIMARY KEY (id);

ALTER TABLE catalog.sku
    ADD CONSTRAINT sku_delivery_is_known CHECK ((delivery = ANY (ARRAY['ship'::text, 'digital'::text, 'service'::text]))) NOT VALID;

ALTER TABLE ONLY catalog.sku
    ADD CONSTRAINT sku_is_unique PRIMARY KEY (sku);

ALTER TABLE catalog.sku
    ADD CONSTRAINT sku_weight_never_negative CHECK ((weight_grams >= 0)) NOT VALID;

ALTER TABLE ONLY catalog.variant
    ADD CONSTRAINT variant_id_is_unique_in_product PRIMARY KEY (product_id, id);

ALTER TABLE ONLY checkout.allowance
    ADD CONSTRAINT allowance_name_is_unique PRIMARY KEY (cell, name);

ALTER TABLE ONLY checkout.checkout
    ADD CONSTRAINT checkout_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY closing.period
    ADD CONSTRAINT period_is_one_of_its_month PRIMARY KEY (cell, period);

ALTER TABLE ONLY digital.licence
    ADD CONSTRAINT licence_is_in_one_pool_once PRIMARY KEY (cell, variant_id, code);

ALTER TABLE ONLY digital.article
    ADD CONSTRAINT one_digital_article_per_variant PRIMARY KEY (cell, variant_id);

ALTER TABLE ONLY digital.entitlement
    ADD CONSTRAINT one_entitlement_per_line PRIMARY KEY (cell, order_id, line);

ALTER TABLE ONLY digital.secret
    ADD CONSTRAINT one_secret_per_cell PRIMARY KEY (cell);

ALTER TABLE ONLY fulfilment.inbox
    ADD CONSTRAINT carrier_is_heard_once PRIMARY KEY (cell, carrier, event_id);

ALTER TABLE ONLY fulfilment.shipment_line
    ADD CONSTRAINT one_row_per_line_of_a_shipment PRIMARY KEY (cell, shipment_id, line);

ALTER TABLE ONLY fulfilment.waiting
    ADD CONSTRAINT one_row_per_waiting_line PRIMARY KEY (cell, variant_id, order_id, line);

ALTER TABLE ONLY fulfilment.shipment
    ADD CONSTRAINT shipment_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY fulfilment.parcel
    ADD CONSTRAINT shipment_is_one_parcel PRIMARY KEY (cell, shipment_id);

ALTER TABLE ONLY identity.address
    ADD CONSTRAINT address_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY identity.api_key
    ADD CONSTRAINT api_key_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY identity.attempt
    ADD CONSTRAINT attempts_are_counted_once PRIMARY KEY (bucket);

ALTER TABLE ONLY identity.residence
    ADD CONSTRAINT cell_is_in_one_region PRIMARY KEY (cell);

ALTER TABLE ONLY identity.consent
    ADD CONSTRAINT consent_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY identity.passkey
    ADD CONSTRAINT credential_is_one_passkey UNIQUE (credential_id);

ALTER TABLE ONLY identity.device
    ADD CONSTRAINT device_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY identity.login
    ADD CONSTRAINT email_signs_in_one_person UNIQUE (email_blind);

ALTER TABLE ONLY identity.external_login
    ADD CONSTRAINT external_login_is_unique PRIMARY KEY (provider, subject_blind);

ALTER TABLE ONLY identity.letter
    ADD CONSTRAINT letter_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY identity.link
    ADD CONSTRAINT link_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY identity.login
    ADD CONSTRAINT login_of_one_person PRIMARY KEY (person_id);

ALTER TABLE ONLY identity.password
    ADD CONSTRAINT one_password_a_person PRIMARY KEY (person_id);

ALTER TABLE ONLY identity.totp
    ADD CONSTRAINT one_totp_a_person PRIMARY KEY (person_id);

ALTER TABLE ONLY identity.passkey
    ADD CONSTRAINT passkey_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY identity.person
    ADD CONSTRAINT person_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY identity.recovery_code
    ADD CONSTRAINT recovery_code_is_unique PRIMARY KEY (person_id, hash);

ALTER TABLE ONLY identity.membership
    ADD CONSTRAINT role_is_held_once PRIMARY KEY (person_id, role, tenant);

ALTER TABLE ONLY identity.session
    ADD CONSTRAINT session_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY jobs.cursor
    ADD CONSTRAINT one_cursor_per_reaction PRIMARY KEY (cell, name);

ALTER TABLE ONLY jobs.run
    ADD CONSTRAINT one_row_per_job PRIMARY KEY (name);

ALTER TABLE ONLY log.archive
    ADD CONSTRAINT archive_holds_a_partition_once PRIMARY KEY (cell, partition);

ALTER TABLE ONLY log.engine
    ADD CONSTRAINT engine_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY log.event
    ADD CONSTRAINT event_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY log.quarantine
    ADD CONSTRAINT event_is_quarantined_once PRIMARY KEY (projection, generation, cell, event_id);

ALTER TABLE ONLY log.generation
    ADD CONSTRAINT generation_is_unique PRIMARY KEY (projection, generation);

ALTER TABLE log.generation
    ADD CONSTRAINT generation_state_is_known CHECK ((state = ANY (ARRAY['building'::text, 'live'::text, 'beside'::text, 'retired'::text, 'dropped'::text]))) NOT VALID;

ALTER TABLE ONLY log.move
    ADD CONSTRAINT move_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY log.idempotency
    ADD CONSTRAINT one_answer_per_key PRIMARY KEY (cell, key);

ALTER TABLE ONLY log.lease
    ADD CONSTRAINT one_holder_per_lease PRIMARY KEY (name);

ALTER TABLE ONLY log.progress
    ADD CONSTRAINT progress_per_slot PRIMARY KEY (projection, generation, cell, shard);

ALTER TABLE ONLY log.projection
    ADD CONSTRAINT projection_name_is_unique PRIMARY KEY (name);

ALTER TABLE ONLY log.reader
    ADD CONSTRAINT reader_is_unique PRIMARY KEY (cell, kind, holder);

ALTER TABLE ONLY log.verification
    ADD CONSTRAINT verification_id_is_unique PRIMARY KEY (id);

ALTER TABLE marketplace.seller
    ADD CONSTRAINT holdback_never_negative CHECK ((holdback_days >= 0)) NOT VALID;

ALTER TABLE ONLY marketplace.seller_order
    ADD CONSTRAINT one_seller_order_per_order_and_seller PRIMARY KEY (cell, order_id, seller_id);

ALTER TABLE ONLY marketplace.supplied
    ADD CONSTRAINT one_supplier_per_line PRIMARY KEY (cell, order_id, line);

ALTER TABLE ONLY marketplace.supply
    ADD CONSTRAINT one_supply_per_warehouse_and_variant PRIMARY KEY (cell, warehouse, variant_id);

ALTER TABLE marketplace.seller
    ADD CONSTRAINT payout_days_never_negative CHECK ((payout_days >= 0)) NOT VALID;

ALTER TABLE ONLY marketplace.payout
    ADD CONSTRAINT payout_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY marketplace.seller
    ADD CONSTRAINT seller_code_is_unique UNIQUE (code);

ALTER TABLE ONLY marketplace.seller
    ADD CONSTRAINT seller_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY marketplace.warehouse
    ADD CONSTRAINT warehouse_has_one_seller PRIMARY KEY (cell, code);

ALTER TABLE ordering.charge
    ADD CONSTRAINT charge_kind_is_known CHECK ((kind = ANY (ARRAY['postage'::text, 'fee'::text, 'discount'::text, 'adjustment'::text, 'donation'::text, 'sample'::text, 'voucher'::text, 'tax'::text]))) NOT VALID;

ALTER TABLE ordering.line
    ADD CONSTRAINT commission_within_amount CHECK (((commission_minor >= 0) AND (commission_minor <= amount_minor))) NOT VALID;

ALTER TABLE ordering.returns
    ADD CONSTRAINT given_back_for_a_known_kind CHECK ((kind = ANY (ARRAY['returned'::text, 'cancelled'::text]))) NOT VALID;

ALTER TABLE ONLY ordering.contact
    ADD CONSTRAINT one_contact_per_order PRIMARY KEY (cell, order_id);

ALTER TABLE ONLY ordering.charge
    ADD CONSTRAINT order_charges_are_numbered PRIMARY KEY (cell, order_id, charge);

ALTER TABLE ONLY ordering.orders
    ADD CONSTRAINT order_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ordering.orders
    ADD CONSTRAINT order_is_paid_in_a_known_way CHECK ((paid_by = ANY (ARRAY['open'::text, 'card'::text, 'terms'::text, 'none'::text]))) NOT VALID;

ALTER TABLE ONLY ordering.line
    ADD CONSTRAINT order_lines_are_numbered PRIMARY KEY (cell, order_id, line);

ALTER TABLE ordering.orders
    ADD CONSTRAINT order_state_is_known CHECK ((state = ANY (ARRAY['placed'::text, 'part_shipped'::text, 'shipped'::text, 'delivered'::text, 'cancelled'::text]))) NOT VALID;

ALTER TABLE ordering.return_charge
    ADD CONSTRAINT return_charge_kind_is_known CHECK ((kind = ANY (ARRAY['postage'::text, 'fee'::text, 'discount'::text, 'adjustment'::text, 'donation'::text, 'sample'::text, 'voucher'::text, 'tax'::text]))) NOT VALID;

ALTER TABLE ONLY ordering.return_charge
    ADD CONSTRAINT return_charges_are_numbered PRIMARY KEY (cell, return_id, charge);

ALTER TABLE ONLY ordering.returns
    ADD CONSTRAINT return_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY ordering.return_line
    ADD CONSTRAINT return_lines_are_numbered PRIMARY KEY (cell, return_id, line);

ALTER TABLE ordering.contact
    ADD CONSTRAINT sealed_contact_has_a_subject CHECK (((sealed IS NULL) = (subject IS NULL))) NOT VALID;

ALTER TABLE ordering.line
    ADD CONSTRAINT shipped_and_cancelled_within_ordered CHECK (((shipped >= 0) AND (cancelled >= 0) AND ((shipped + cancelled) <= quantity))) NOT VALID;

ALTER TABLE ONLY ordering.tax_line
    ADD CONSTRAINT tax_lines_are_numbered PRIMARY KEY (cell, order_id, place);

ALTER TABLE ONLY ordering.transfer
    ADD CONSTRAINT transfer_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ordering.transfer
    ADD CONSTRAINT transfer_names_two_accounts CHECK (((debit <> credit) OR (debit_party <> credit_party))) NOT VALID;

ALTER TABLE ONLY payment.dispute
    ADD CONSTRAINT dispute_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY payment.dispute
    ADD CONSTRAINT dispute_is_known_once UNIQUE (cell, gateway, reference);

ALTER TABLE ONLY payment.method
    ADD CONSTRAINT method_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY payment.method
    ADD CONSTRAINT method_is_kept_once UNIQUE (cell, gateway, token);

ALTER TABLE ONLY payment.payment
    ADD CONSTRAINT one_payment_per_checkout PRIMARY KEY (cell, id);

ALTER TABLE ONLY payment.settlement
    ADD CONSTRAINT one_settlement_per_gateway PRIMARY KEY (cell, gateway);

ALTER TABLE ONLY payment.operation
    ADD CONSTRAINT operation_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY payment.payout
    ADD CONSTRAINT payout_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY payment.payout
    ADD CONSTRAINT payout_is_booked_once UNIQUE (cell, gateway, reference);

ALTER TABLE ONLY payment.inbox
    ADD CONSTRAINT webhook_is_taken_in_once PRIMARY KEY (cell, provider, event_id);

ALTER TABLE ONLY pricing.customer
    ADD CONSTRAINT customer_is_grouped_once PRIMARY KEY (customer_id);

ALTER TABLE ONLY pricing.market
    ADD CONSTRAINT market_code_is_unique PRIMARY KEY (code);

ALTER TABLE ONLY pricing.list_price
    ADD CONSTRAINT one_price_per_variant_and_list PRIMARY KEY (variant_id, list);

ALTER TABLE ONLY pricing.price
    ADD CONSTRAINT one_price_per_variant_and_market PRIMARY KEY (variant_id, market);

ALTER TABLE ONLY pricing.rate
    ADD CONSTRAINT one_rate_per_pair_and_moment PRIMARY KEY (base, quote, valid_from);

ALTER TABLE ONLY pricing.past_list_price
    ADD CONSTRAINT past_list_price_is_one_version PRIMARY KEY (variant_id, list, version);

ALTER TABLE ONLY pricing.past_list
    ADD CONSTRAINT past_price_list_is_one_version PRIMARY KEY (code, version);

ALTER TABLE ONLY pricing.price_list
    ADD CONSTRAINT price_list_code_is_unique PRIMARY KEY (code);

ALTER TABLE ONLY pricing.price_list
    ADD CONSTRAINT price_lists_of_equal_rank_never_overlap EXCLUDE USING gist (market WITH =, currency WITH =, channel WITH =, customer_group WITH =, COALESCE(company_id, '00000000-0000-0000-0000-000000000000'::uuid) WITH =, rank WITH =, tstzrange(valid_from, valid_until) WITH &&) WHERE (active);

ALTER TABLE ONLY pricing.product
    ADD CONSTRAINT prices_of_a_product_are_one_aggregate PRIMARY KEY (product_id);

ALTER TABLE ONLY privacy.certificate
    ADD CONSTRAINT certificate_is_of_a_scan PRIMARY KEY (cell, erasure_id, at);

ALTER TABLE ONLY privacy.erasure
    ADD CONSTRAINT erasure_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY privacy.legal_hold
    ADD CONSTRAINT held_under_a_case_once PRIMARY KEY (about_id, reference);

ALTER TABLE ONLY privacy.person_key
    ADD CONSTRAINT one_key_per_subject PRIMARY KEY (subject);

ALTER TABLE ONLY privacy.signing_key
    ADD CONSTRAINT one_signing_key_of_a_cell PRIMARY KEY (cell);

ALTER TABLE ONLY privacy.found_by
    ADD CONSTRAINT order_is_found_once PRIMARY KEY (cell, subject, order_id);

ALTER TABLE ONLY privacy.restriction
    ADD CONSTRAINT restriction_of_a_person_is_one PRIMARY KEY (subject);

ALTER TABLE ONLY privacy.ring_key
    ADD CONSTRAINT ring_key_id_is_unique PRIMARY KEY (id);

ALTER TABLE ONLY promotion.coupon
    ADD CONSTRAINT coupon_code_is_unique PRIMARY KEY (code);

ALTER TABLE ONLY promotion.past
    ADD CONSTRAINT past_promotion_is_one_version PRIMARY KEY (code, version);

ALTER TABLE ONLY promotion.promotion
    ADD CONSTRAINT promotion_code_is_unique PRIMARY KEY (code);

ALTER TABLE ONLY shipping.method
    ADD CONSTRAINT method_code_is_unique PRIMARY KEY (code);

ALTER TABLE ONLY shipping.past_method
    ADD CONSTRAINT past_shipping_method_is_one_version PRIMARY KEY (code, version);

ALTER TABLE ONLY shipping.zone
    ADD CONSTRAINT zone_code_is_unique PRIMARY KEY (code);

ALTER TABLE ONLY stock.level
    ADD CONSTRAINT one_level_per_variant_and_warehouse PRIMARY KEY (cell, variant_id, warehouse);

ALTER TABLE ONLY stock.reservation
    ADD CONSTRAINT one_reservation_per_checkout PRIMARY KEY (cell, id);

ALTER TABLE ONLY stock.routing
    ADD CONSTRAINT one_routing_per_market PRIMARY KEY (cell, market);

ALTER TABLE ONLY stock.low
    ADD CONSTRAINT one_row_per_watched_variant PRIMARY KEY (cell, variant_id);

ALTER TABLE ONLY stock.threshold
    ADD CONSTRAINT one_threshold_per_variant PRIMARY KEY (cell, variant_id);

ALTER TABLE stock.warehouse
    ADD CONSTRAINT parcel_cost_never_negative CHECK ((parcel_minor >= 0)) NOT VALID;

ALTER TABLE stock.level
    ADD CONSTRAINT reserved_never_negative CHECK ((reserved >= 0)) NOT VALID;

ALTER TABLE ONLY stock.warehouse
    ADD CONSTRAINT warehouse_code_is_unique PRIMARY KEY (cell, code);

ALTER TABLE stock.warehouse
    ADD CONSTRAINT warehouse_kind_is_known CHECK ((kind = ANY (ARRAY['own'::text, 'supplier'::text, 'backorder'::text, 'preorder'::text, 'digital'::text]))) NOT VALID;

ALTER TABLE ONLY subscription.charge
    ADD CONSTRAINT one_charge_per_period_and_attempt PRIMARY KEY (cell, subscription_id, period, attempt);

ALTER TABLE ONLY subscription.contact
    ADD CONSTRAINT one_contact_per_subscription PRIMARY KEY (cell, subscription_id);

ALTER TABLE ONLY subscription.plan
    ADD CONSTRAINT plan_code_is_unique PRIMARY KEY (code);

ALTER TABLE subscription.contact
    ADD CONSTRAINT sealed_contact_has_a_subject CHECK (((sealed IS NULL) = (subject IS NULL))) NOT VALID;

ALTER TABLE ONLY subscription.subscription
    ADD CONSTRAINT subscription_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY webhook.endpoint
    ADD CONSTRAINT endpoint_id_is_unique PRIMARY KEY (cell, id);

ALTER TABLE ONLY webhook.parked
    ADD CONSTRAINT event_is_parked_once PRIMARY KEY (cell, endpoint_id, txid, seq);

CREATE INDEX return_case_of_an_exchange ON ONLY aftersale.return_case USING btree (cell, exchange_order_id) WHERE (exchange_order_id IS NOT NULL);

CREATE INDEX return_cases_of_an_order ON ONLY aftersale.return_case USING btree (cell, order_id);

CREATE INDEX approvals_by_state ON approval.request USING btree (cell, state, id);

CREATE INDEX changes_of_a_key ON approval.change USING btree (cell, key, id);

CREATE UNIQUE INDEX one_open_approval_of_a_deed ON approval.request USING btree (cell, digest) WHERE (state = ANY (ARRAY['requested'::text, 'approved'::text]));

CREATE INDEX entry_in_commit_order ON ONLY audit.entry USING btree (cell, txid, seq);

CREATE UNIQUE INDEX buyer_email_is_unique_in_the_company ON business.buyer USING btree (cell, company_id, email_blind);

CREATE UNIQUE INDEX company_vat_id_is_unique ON business.company USING btree (cell, vat_id) WHERE (vat_id <> ''::text);

CREATE INDEX credit_notes_of_a_company ON business.credit_note USING btree (cell, company_id, id);

CREATE INDEX invoices_of_a_company ON business.invoice USING btree (cell, company_id, id);

CREATE INDEX invoices_to_become_overdue ON business.invoice USING btree (cell, due_on) WHERE (state = ANY (ARRAY['open'::text, 'part_paid'::text]));

CREATE UNIQUE INDEX negotiation_is_ordered_once ON business.purchase USING btree (cell, negotiation_id) WHERE ((negotiation_id IS NOT NULL) AND (state = ANY (ARRAY['pending'::text, 'approved'::text, 'ordered'::text])));

CREATE INDEX negotiations_of_a_company ON business.negotiation USING btree (cell, company_id, id);

CREATE INDEX negotiations_that_may_expire ON business.negotiation USING btree (cell, valid_until) WHERE (state = ANY (ARRAY['offered'::text, 'countered'::text, 'accepted'::text]));

CREATE UNIQUE INDEX purchase_of_an_order ON business.purchase USING btree (cell, order_id) WHERE (order_id IS NOT NULL);

CREATE INDEX purchases_of_a_buyer ON business.purchase USING btree (cell, buyer_id, decided_at);

CREATE INDEX purchases_of_a_company ON business.purchase USING btree (cell, company_id, id);

CREATE INDEX purchases_to_order ON business.purchase USING btree (cell, id) WHERE (state = 'approved'::text);

CREATE INDEX receipts_to_match ON business.receipt USING btree (cell, id) WHERE (used_minor < amount_minor);

CREATE INDEX settlements_of_an_invoice ON business.settlement USING btree (cell, invoice_id);

CREATE INDEX sku_of_a_variant ON ONLY catalog.sku USING btree (variant_id);

CREATE INDEX checkouts_under_way ON ONLY checkout.checkout USING btree (cell, stepped_at) WHERE (held IS NOT NULL);

CREATE INDEX free_licences ON digital.licence USING btree (cell, variant_id) WHERE (state = 'free'::text);

CREATE INDEX licences_of_an_order ON digital.licence USING btree (cell, order_id, line) WHERE (order_id IS NOT NULL);

CREATE INDEX waiting_entitlements ON ONLY digital.entitlement USING btree (cell, variant_id) WHERE (state = 'waiting'::text);

CREATE INDEX carriers_heard_before ON fulfilment.inbox USING btree (cell, received_at);

CREATE INDEX parcels_by_number ON ONLY fulfilment.parcel USING btree (cell, carrier, tracking) WHERE (tracking <> ''::text);

CREATE INDEX parcels_to_look_at ON ONLY fulfilment.parcel USING btree (cell, looked_at) WHERE (state = ANY (ARRAY['asked'::text, 'booked'::text, 'under_way'::text]));

CREATE INDEX shipments_of_an_order ON ONLY fulfilment.shipment USING btree (cell, order_id);

CREATE INDEX shipments_under_way ON ONLY fulfilment.shipment USING btree (cell, warehouse, id) WHERE (state = ANY (ARRAY['planned'::text, 'picked'::text, 'packed'::text]));

CREATE INDEX waiting_lines_of_an_order ON fulfilment.waiting USING btree (cell, order_id);

CREATE INDEX address_by_person ON identity.address USING btree (person_id);

CREATE INDEX api_key_by_person ON identity.api_key USING btree (person_id);

CREATE INDEX attempt_by_end ON identity.attempt USING btree (ends_at);

CREATE INDEX consent_by_person ON identity.consent USING btree (person_id, given_at);

CREATE UNIQUE INDEX consent_is_given_once ON identity.consent USING btree (person_id, purpose) WHERE (withdrawn_at IS NULL);

CREATE INDEX device_by_person ON identity.device USING btree (person_id);

CREATE INDEX device_by_use ON identity.device USING btree (seen_at);

CREATE INDEX external_login_by_person ON identity.external_login USING btree (person_id);

CREATE INDEX letter_by_person ON identity.letter USING btree (person_id, about, created_at);

CREATE INDEX letter_due ON identity.letter USING btree (next_at) WHERE (sent_at IS NULL);

CREATE INDEX link_by_end ON identity.link USING btree (expires_at);

CREATE INDEX link_by_person ON identity.link USING btree (person_id, purpose);

CREATE INDEX membership_by_tenant ON identity.membership USING btree (tenant, role);

CREATE UNIQUE INDEX one_address_is_the_usual ON identity.address USING btree (person_id) WHERE usual;

CREATE INDEX passkey_by_person ON identity.passkey USING btree (person_id);

CREATE INDEX person_by_phone ON identity.person USING btree (phone_blind) WHERE (phone_blind IS NOT NULL);

CREATE INDEX person_unverified ON identity.person USING btree (created_at) WHERE (state = 'unverified'::text);

CREATE INDEX session_by_end ON identity.session USING btree (expires_at);

CREATE INDEX session_by_person ON identity.session USING btree (person_id) WHERE (ended_at IS NULL);

CREATE INDEX event_in_commit_order ON ONLY log.event USING btree (cell, txid, seq);

CREATE UNIQUE INDEX one_building_generation_per_projection ON log.generation USING btree (projection) WHERE (state = 'building'::text);

CREATE UNIQUE INDEX one_live_engine_per_role ON log.engine USING btree (role) WHERE live;

CREATE UNIQUE INDEX one_move_under_way_per_role ON log.move USING btree (role) WHERE (state = ANY (ARRAY['building'::text, 'switched'::text]));

CREATE INDEX quarantine_in_log_order ON log.quarantine USING btree (projection, generation, cell, shard, txid, seq);

CREATE INDEX verification_newest_first ON log.verification USING btree (projection, id DESC);

CREATE UNIQUE INDEX one_payout_under_way_per_seller_and_currency ON marketplace.payout USING btree (cell, seller_id, currency) WHERE (state = 'asked'::text);

CREATE INDEX orders_of_a_seller ON ONLY marketplace.seller_order USING btree (cell, seller_id, order_id);

CREATE INDEX payouts_of_a_seller ON marketplace.payout USING btree (cell, seller_id, id);

CREATE INDEX warehouses_of_a_seller ON marketplace.warehouse USING btree (seller_id, cell);

CREATE INDEX orders_of_a_customer ON ONLY ordering.orders USING btree (cell, customer_id, id) WHERE (customer_id IS NOT NULL);

CREATE INDEX returns_of_an_order ON ONLY ordering.returns USING btree (cell, order_id);

CREATE INDEX transfers_from_a_seller ON ONLY ordering.transfer USING btree (cell, debit_party, booked_at) WHERE (debit = 'seller'::ordering.account);

CREATE INDEX transfers_to_a_seller ON ONLY ordering.transfer USING btree (cell, credit_party, booked_at) WHERE (credit = 'seller'::ordering.account);

CREATE INDEX disputes_of_a_payment ON payment.dispute USING btree (cell, payment_id);

CREATE INDEX methods_of_a_customer ON payment.method USING btree (cell, customer_id);

CREATE INDEX operations_of_a_payment ON ONLY payment.operation USING btree (cell, payment_id);

CREATE INDEX operations_to_finish ON ONLY payment.operation USING btree (cell, id) WHERE (state = 'asked'::text);

CREATE INDEX webhooks_by_age ON payment.inbox USING btree (cell, received_at);

CREATE INDEX price_by_product ON ONLY pricing.price USING btree (product_id);

CREATE INDEX certificates_of_a_person ON privacy.certificate USING btree (subject);

CREATE INDEX found_by_email ON privacy.found_by USING btree (email_blind);

CREATE UNIQUE INDEX one_active_ring_key_per_purpose ON privacy.ring_key USING btree (purpose) WHERE (state = 'active'::text);

CREATE UNIQUE INDEX one_erasure_of_a_person_at_a_time ON privacy.erasure USING btree (cell, subject) WHERE (state <> 'withdrawn'::text);

CREATE INDEX person_keys_of_a_ring_key ON privacy.person_key USING btree (ring_key_id, subject) WHERE (wrapped IS NOT NULL);

CREATE INDEX level_of_a_warehouse ON ONLY stock.level USING btree (cell, warehouse);

CREATE INDEX reservation_by_end ON stock.reservation USING btree (cell, expires_at);

CREATE UNIQUE INDEX a_period_is_paid_once ON subscription.charge USING btree (cell, subscription_id, period) WHERE (state = 'paid'::text);

CREATE INDEX subscriptions_due ON subscription.subscription USING btree (cell, next_at) WHERE (next_at IS NOT NULL);

CREATE INDEX subscriptions_of_a_customer ON subscription.subscription USING btree (cell, customer_id, id);

CREATE INDEX parked_and_due ON webhook.parked USING btree (cell, next_at) WHERE (state = 'waiting'::text);

CREATE INDEX parked_by_key ON webhook.parked USING btree (cell, endpoint_id, key, txid, seq) WHERE (state = 'waiting'::text);

CREATE TRIGGER entry_batch_is_not_changed BEFORE UPDATE OR TRUNCATE ON audit.entry_batch FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();

CREATE TRIGGER entry_is_append_only BEFORE DELETE OR UPDATE ON audit.entry FOR EACH ROW EXECUTE FUNCTION audit.refuse();

CREATE TRIGGER entry_is_not_emptied BEFORE TRUNCATE ON audit.entry FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();

CREATE TRIGGER link_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.link FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();

CREATE TRIGGER root_is_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON audit.root FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();

CREATE TRIGGER used_up_allowance_says_since_when BEFORE UPDATE ON checkout.allowance FOR EACH ROW WHEN (((old.used >= old.most) <> (new.used >= new.most))) EXECUTE FUNCTION checkout.note_used_up();

CREATE TRIGGER person_lives_where_their_region_allows BEFORE INSERT OR UPDATE OF region, cell ON identity.person FOR EACH ROW WHEN ((new.region <> ''::text)) EXECUTE FUNCTION identity.check_residence();

CREATE TRIGGER closed_period_changes_no_transfer AFTER UPDATE ON ordering.transfer REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION closing.refuse_closed();

CREATE TRIGGER closed_period_loses_no_transfer AFTER DELETE ON ordering.transfer REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION closing.refuse_closed();

CREATE TRIGGER closed_period_takes_no_transfer AFTER INSERT ON ordering.transfer REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION closing.refuse_closed();

CREATE TRIGGER changed_list_price_keeps_what_it_was AFTER UPDATE ON pricing.list_price FOR EACH ROW WHEN ((new.version > old.version)) EXECUTE FUNCTION pricing.keep_past_list_price();

CREATE TRIGGER changed_price_list_keeps_what_it_was AFTER UPDATE ON pricing.price_list FOR EACH ROW WHEN ((new.version > old.version)) EXECUTE FUNCTION pricing.keep_past_list();

CREATE TRIGGER changed_promotion_keeps_what_it_was AFTER UPDATE ON promotion.promotion FOR EACH ROW WHEN ((new.version > old.version)) EXECUTE FUNCTION promotion.keep_past();

CREATE TRIGGER changed_shipping_method_keeps_what_it_was AFTER UPDATE ON shipping.method FOR EACH ROW WHEN ((new.version > old.version)) EXECUTE FUNCTION shipping.keep_past_method();

ALTER TABLE ONLY business.buyer
    ADD CONSTRAINT buyer_of_a_company FOREIGN KEY (cell, company_id) REFERENCES business.company(cell, id);

ALTER TABLE ONLY business.credit_note
    ADD CONSTRAINT credit_note_of_an_invoice FOREIGN KEY (cell, invoice_id) REFERENCES business.invoice(cell, id);

ALTER TABLE ONLY business.invoice
    ADD CONSTRAINT invoice_of_a_company FOREIGN KEY (cell, company_id) REFERENCES business.company(cell, id);

ALTER TABLE ONLY business.negotiation
    ADD CONSTRAINT negotiation_of_a_company FOREIGN KEY (cell, company_id) REFERENCES business.company(cell, id);

ALTER TABLE ONLY business.purchase
    ADD CONSTRAINT purchase_by_a_buyer FOREIGN KEY (cell, buyer_id) REFERENCES business.buyer(cell, id);

ALTER TABLE ONLY business.purchase
    ADD CONSTRAINT purchase_of_a_company FOREIGN KEY (cell, company_id) REFERENCES business.company(cell, id);

ALTER TABLE ONLY business.negotiation_round
    ADD CONSTRAINT round_of_a_negotiation FOREIGN KEY (cell, negotiation_id) REFERENCES business.negotiation(cell, id);

ALTER TABLE ONLY business.settlement
    ADD CONSTRAINT settled_by_a_credit_note FOREIGN KEY (cell, credit_note_id) REFERENCES business.credit_note(cell, id);

ALTER TABLE ONLY business.settlement
    ADD CONSTRAINT settled_by_a_receipt FOREIGN KEY (cell, receipt_id) REFERENCES business.receipt(cell, id);

ALTER TABLE ONLY business.settlement
    ADD CONSTRAINT settlement_of_an_invoice FOREIGN KEY (cell, invoice_id) REFERENCES business.invoice(cell, id);

ALTER TABLE ONLY catalog.category
    ADD CONSTRAINT category_parent_exists FOREIGN KEY (parent_id) REFERENCES catalog.category(id);

ALTER TABLE catalog.media
    ADD CONSTRAINT media_of_a_product FOREIGN KEY (product_id) REFERENCES catalog.product(id);

ALTER TABLE catalog.product_category
    ADD CONSTRAINT product_category_exists FOREIGN KEY (category_id) REFERENCES catalog.category(id);

ALTER TABLE catalog.product_category
    ADD CONSTRAINT product_category_of_a_product FOREIGN KEY (product_id) REFERENCES catalog.product(id);

ALTER TABLE catalog.product_text
    ADD CONSTRAINT product_text_of_a_product FOREIGN KEY (product_id) REFERENCES catalog.product(id);

ALTER TABLE catalog.sku
    ADD CONSTRAINT sku_is_sold_by_a_known_seller FOREIGN KEY (seller_id) REFERENCES marketplace.seller(id) NOT VALID;

ALTER TABLE catalog.variant
    ADD CONSTRAINT variant_of_a_product FOREIGN KEY (product_id) REFERENCES catalog.product(id);

ALTER TABLE ONLY identity.address
    ADD CONSTRAINT address_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY identity.api_key
    ADD CONSTRAINT api_key_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY identity.consent
    ADD CONSTRAINT consent_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY identity.device
    ADD CONSTRAINT device_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY identity.external_login
    ADD CONSTRAINT external_login_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY identity.letter
    ADD CONSTRAINT letter_to_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY identity.link
    ADD CONSTRAINT link_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY identity.login
    ADD CONSTRAINT login_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY identity.membership
    ADD CONSTRAINT membership_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY identity.passkey
    ADD CONSTRAINT passkey_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY identity.password
    ADD CONSTRAINT password_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY identity.recovery_code
    ADD CONSTRAINT recovery_code_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY identity.session
    ADD CONSTRAINT session_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY identity.totp
    ADD CONSTRAINT totp_of_a_person FOREIGN KEY (person_id) REFERENCES identity.person(id);

ALTER TABLE ONLY log.generation
    ADD CONSTRAINT generation_lies_in_an_engine FOREIGN KEY (engine) REFERENCES log.engine(id) NOT VALID;

ALTER TABLE ONLY log.generation
    ADD CONSTRAINT generation_of_a_projection FOREIGN KEY (projection) REFERENCES log.projection(name);

ALTER TABLE ONLY log.move
    ADD CONSTRAINT move_from_an_engine FOREIGN KEY (from_engine) REFERENCES log.engine(id);

ALTER TABLE ONLY log.move
    ADD CONSTRAINT move_to_an_engine FOREIGN KEY (to_engine) REFERENCES log.engine(id);

ALTER TABLE ONLY marketplace.warehouse
    ADD CONSTRAINT seller_warehouse_is_a_warehouse FOREIGN KEY (cell, code) REFERENCES stock.warehouse(cell, code);

ALTER TABLE ONLY marketplace.warehouse
    ADD CONSTRAINT warehouse_of_a_known_seller FOREIGN KEY (seller_id) REFERENCES marketplace.seller(id);

ALTER TABLE ordering.return_charge
    ADD CONSTRAINT charge_of_a_return FOREIGN KEY (cell, return_id) REFERENCES ordering.returns(cell, id);

ALTER TABLE ordering.charge
    ADD CONSTRAINT charge_of_an_order FOREIGN KEY (cell, order_id) REFERENCES ordering.orders(cell, id);

ALTER TABLE ordering.return_line
    ADD CONSTRAINT line_of_a_return FOREIGN KEY (cell, return_id) REFERENCES ordering.returns(cell, id);

ALTER TABLE ordering.line
    ADD CONSTRAINT line_of_an_order FOREIGN KEY (cell, order_id) REFERENCES ordering.orders(cell, id);

ALTER TABLE ordering.returns
    ADD CONSTRAINT return_of_an_order FOREIGN KEY (cell, order_id) REFERENCES ordering.orders(cell, id);

ALTER TABLE pricing.list_price
    ADD CONSTRAINT list_price_in_a_list FOREIGN KEY (list) REFERENCES pricing.price_list(code);

ALTER TABLE pricing.price
    ADD CONSTRAINT price_in_a_market FOREIGN KEY (market) REFERENCES pricing.market(code);

ALTER TABLE ONLY pricing.price_list
    ADD CONSTRAINT price_list_in_a_market FOREIGN KEY (market) REFERENCES pricing.market(code);

ALTER TABLE ONLY privacy.person_key
    ADD CONSTRAINT person_key_under_a_ring_key FOREIGN KEY (ring_key_id) REFERENCES privacy.ring_key(id);

ALTER TABLE promotion.coupon
    ADD CONSTRAINT coupon_of_a_promotion FOREIGN KEY (promotion) REFERENCES promotion.promotion(code);

ALTER TABLE stock.level
    ADD CONSTRAINT level_in_a_warehouse FOREIGN KEY (cell, warehouse) REFERENCES stock.warehouse(cell, code);

ALTER TABLE ONLY subscription.subscription
    ADD CONSTRAINT subscription_to_a_plan FOREIGN KEY (plan) REFERENCES subscription.plan(code);

ALTER TABLE ONLY webhook.parked
    ADD CONSTRAINT parked_for_an_endpoint FOREIGN KEY (cell, endpoint_id) REFERENCES webhook.endpoint(cell, id) ON DELETE CASCADE;

ALTER TABLE business.buyer ENABLE ROW LEVEL SECURITY;

ALTER TABLE business.company ENABLE ROW LEVEL SECURITY;

ALTER TABLE business.credit_note ENABLE ROW LEVEL SECURITY;

ALTER TABLE business.invoice ENABLE ROW LEVEL SECURITY;

ALTER TABLE business.negotiation ENABLE ROW LEVEL SECURITY;

ALTER TABLE business.negotiation_round ENABLE ROW LEVEL SECURITY;

CREATE POLICY platform_sees_every_row ON business.buyer TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON business.company TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON business.credit_note TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON business.invoice TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON business.negotiation TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON business.negotiation_round TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON business.purchase TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON business.receipt TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON business.settlement TO entrepot_platform USING (true) WITH CHECK (true);

ALTER TABLE business.purchase ENABLE ROW LEVEL SECURITY;

CREATE POLICY reader_sees_every_row ON business.buyer FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON business.company FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON business.credit_note FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON business.invoice FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON business.negotiation FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON business.negotiation_round FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON business.purchase FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON business.receipt FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON business.settlement FOR SELECT TO entrepot_reader USING (true);

ALTER TABLE business.receipt ENABLE ROW LEVEL SECURITY;

ALTER TABLE business.settlement ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_sees_only_its_own ON business.buyer AS RESTRICTIVE TO entrepot_tenant USING ((company_id = ANY (access.companies()))) WITH CHECK ((company_id = ANY (access.companies())));

CREATE POLICY tenant_sees_only_its_own ON business.company AS RESTRICTIVE TO entrepot_tenant USING ((id = ANY (access.companies()))) WITH CHECK ((id = ANY (access.companies())));

CREATE POLICY tenant_sees_only_its_own ON business.credit_note AS RESTRICTIVE TO entrepot_tenant USING ((company_id = ANY (access.companies()))) WITH CHECK ((company_id = ANY (access.companies())));

CREATE POLICY tenant_sees_only_its_own ON business.invoice AS RESTRICTIVE TO entrepot_tenant USING ((company_id = ANY (access.companies()))) WITH CHECK ((company_id = ANY (access.companies())));

CREATE POLICY tenant_sees_only_its_own ON business.negotiation AS RESTRICTIVE TO entrepot_tenant USING ((company_id = ANY (access.companies()))) WITH CHECK ((company_id = ANY (access.companies())));

CREATE POLICY tenant_sees_only_its_own ON business.negotiation_round AS RESTRICTIVE TO entrepot_tenant USING ((EXISTS ( SELECT
   FROM business.negotiation n
  WHERE ((n.cell = negotiation_round.cell) AND (n.id = negotiation_round.negotiation_id))))) WITH CHECK ((EXISTS ( SELECT
   FROM business.negotiation n
  WHERE ((n.cell = negotiation_round.cell) AND (n.id = negotiation_round.negotiation_id)))));

CREATE POLICY tenant_sees_only_its_own ON business.purchase AS RESTRICTIVE TO entrepot_tenant USING ((company_id = ANY (access.companies()))) WITH CHECK ((company_id = ANY (access.companies())));

CREATE POLICY tenant_sees_only_its_own ON business.receipt AS RESTRICTIVE TO entrepot_tenant USING ((company_id = ANY (access.companies()))) WITH CHECK ((company_id = ANY (access.companies())));

CREATE POLICY tenant_sees_only_its_own ON business.settlement AS RESTRICTIVE TO entrepot_tenant USING ((EXISTS ( SELECT
   FROM business.invoice i
  WHERE ((i.cell = settlement.cell) AND (i.id = settlement.invoice_id))))) WITH CHECK ((EXISTS ( SELECT
   FROM business.invoice i
  WHERE ((i.cell = settlement.cell) AND (i.id = settlement.invoice_id)))));

CREATE POLICY tenant_sees_some_rows ON business.buyer TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON business.company TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON business.credit_note TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON business.invoice TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON business.negotiation TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON business.negotiation_round TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON business.purchase TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON business.receipt TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON business.settlement TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON catalog.sku TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY reader_sees_every_row ON catalog.sku FOR SELECT TO entrepot_reader USING (true);

ALTER TABLE catalog.sku ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_sees_only_its_own ON catalog.sku AS RESTRICTIVE TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON catalog.sku TO entrepot_tenant USING (true) WITH CHECK (true);

ALTER TABLE checkout.allowance ENABLE ROW LEVEL SECURITY;

CREATE POLICY platform_sees_every_row ON checkout.allowance TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY reader_sees_every_row ON checkout.allowance FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY tenant_sees_only_its_own ON checkout.allowance AS RESTRICTIVE TO entrepot_tenant USING ((name IN ( SELECT ('credit/'::text || c.id)
   FROM unnest(access.companies()) c(id)))) WITH CHECK ((name IN ( SELECT ('credit/'::text || c.id)
   FROM unnest(access.companies()) c(id))));

CREATE POLICY tenant_sees_some_rows ON checkout.allowance TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON fulfilment.shipment TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON fulfilment.shipment_line TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON fulfilment.waiting TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY reader_sees_every_row ON fulfilment.shipment FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON fulfilment.shipment_line FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON fulfilment.waiting FOR SELECT TO entrepot_reader USING (true);

ALTER TABLE fulfilment.shipment ENABLE ROW LEVEL SECURITY;

ALTER TABLE fulfilment.shipment_line ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_sees_only_its_own ON fulfilment.shipment AS RESTRICTIVE TO entrepot_tenant USING (((seller_id IN ( SELECT s.id
   FROM marketplace.seller s)) OR ((cell, warehouse) IN ( SELECT w.cell,
    w.code
   FROM marketplace.warehouse w)))) WITH CHECK (((seller_id IN ( SELECT s.id
   FROM marketplace.seller s)) OR ((cell, warehouse) IN ( SELECT w.cell,
    w.code
   FROM marketplace.warehouse w))));

CREATE POLICY tenant_sees_only_its_own ON fulfilment.shipment_line AS RESTRICTIVE TO entrepot_tenant USING ((EXISTS ( SELECT
   FROM fulfilment.shipment p
  WHERE ((p.cell = shipment_line.cell) AND (p.id = shipment_line.shipment_id))))) WITH CHECK ((EXISTS ( SELECT
   FROM fulfilment.shipment p
  WHERE ((p.cell = shipment_line.cell) AND (p.id = shipment_line.shipment_id)))));

CREATE POLICY tenant_sees_only_its_own ON fulfilment.waiting AS RESTRICTIVE TO entrepot_tenant USING ((seller_id IN ( SELECT seller.id
   FROM marketplace.seller))) WITH CHECK ((seller_id IN ( SELECT seller.id
   FROM marketplace.seller)));

CREATE POLICY tenant_sees_some_rows ON fulfilment.shipment TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON fulfilment.shipment_line TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON fulfilment.waiting TO entrepot_tenant USING (true) WITH CHECK (true);

ALTER TABLE fulfilment.waiting ENABLE ROW LEVEL SECURITY;

ALTER TABLE identity.membership ENABLE ROW LEVEL SECURITY;

CREATE POLICY platform_sees_every_row ON identity.membership TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY reader_sees_every_row ON identity.membership FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY tenant_sees_only_its_own ON identity.membership AS RESTRICTIVE TO entrepot_tenant USING (false) WITH CHECK (false);

CREATE POLICY tenant_sees_some_rows ON identity.membership TO entrepot_tenant USING (true) WITH CHECK (true);

ALTER TABLE log.idempotency ENABLE ROW LEVEL SECURITY;

CREATE POLICY platform_sees_every_row ON log.idempotency TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY reader_sees_every_row ON log.idempotency FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY tenant_sees_only_its_own ON log.idempotency AS RESTRICTIVE TO entrepot_tenant USING (starts_with(key, NULLIF(current_setting('entrepot.keys'::text, true), ''::text))) WITH CHECK (starts_with(key, NULLIF(current_setting('entrepot.keys'::text, true), ''::text)));

CREATE POLICY tenant_sees_some_rows ON log.idempotency TO entrepot_tenant USING (true) WITH CHECK (true);

ALTER TABLE marketplace.payout ENABLE ROW LEVEL SECURITY;

CREATE POLICY platform_sees_every_row ON marketplace.payout TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON marketplace.seller TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON marketplace.seller_order TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON marketplace.supplied TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON marketplace.supply TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON marketplace.warehouse TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY reader_sees_every_row ON marketplace.payout FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON marketplace.seller FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON marketplace.seller_order FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON marketplace.supplied FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON marketplace.supply FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON marketplace.warehouse FOR SELECT TO entrepot_reader USING (true);

ALTER TABLE marketplace.seller ENABLE ROW LEVEL SECURITY;

ALTER TABLE marketplace.seller_order ENABLE ROW LEVEL SECURITY;

ALTER TABLE marketplace.supplied ENABLE ROW LEVEL SECURITY;

ALTER TABLE marketplace.supply ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_sees_only_its_own ON marketplace.payout AS RESTRICTIVE TO entrepot_tenant USING ((seller_id IN ( SELECT seller.id
   FROM marketplace.seller))) WITH CHECK ((seller_id IN ( SELECT seller.id
   FROM marketplace.seller)));

CREATE POLICY tenant_sees_only_its_own ON marketplace.seller AS RESTRICTIVE TO entrepot_tenant USING ((code = ANY (access.sellers()))) WITH CHECK ((code = ANY (access.sellers())));

CREATE POLICY tenant_sees_only_its_own ON marketplace.seller_order AS RESTRICTIVE TO entrepot_tenant USING ((seller_id IN ( SELECT seller.id
   FROM marketplace.seller))) WITH CHECK ((seller_id IN ( SELECT seller.id
   FROM marketplace.seller)));

CREATE POLICY tenant_sees_only_its_own ON marketplace.supplied AS RESTRICTIVE TO entrepot_tenant USING ((seller_id IN ( SELECT seller.id
   FROM marketplace.seller))) WITH CHECK ((seller_id IN ( SELECT seller.id
   FROM marketplace.seller)));

CREATE POLICY tenant_sees_only_its_own ON marketplace.supply AS RESTRICTIVE TO entrepot_tenant USING (((cell, warehouse) IN ( SELECT w.cell,
    w.code
   FROM marketplace.warehouse w))) WITH CHECK (((cell, warehouse) IN ( SELECT w.cell,
    w.code
   FROM marketplace.warehouse w)));

CREATE POLICY tenant_sees_only_its_own ON marketplace.warehouse AS RESTRICTIVE TO entrepot_tenant USING ((seller_id IN ( SELECT seller.id
   FROM marketplace.seller))) WITH CHECK ((seller_id IN ( SELECT seller.id
   FROM marketplace.seller)));

CREATE POLICY tenant_sees_some_rows ON marketplace.payout TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON marketplace.seller TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON marketplace.seller_order TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON marketplace.supplied TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON marketplace.supply TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON marketplace.warehouse TO entrepot_tenant USING (true) WITH CHECK (true);

ALTER TABLE marketplace.warehouse ENABLE ROW LEVEL SECURITY;

ALTER TABLE ordering.contact ENABLE ROW LEVEL SECURITY;

ALTER TABLE ordering.line ENABLE ROW LEVEL SECURITY;

ALTER TABLE ordering.orders ENABLE ROW LEVEL SECURITY;

CREATE POLICY platform_sees_every_row ON ordering.contact TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON ordering.line TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON ordering.orders TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON ordering.returns TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON ordering.transfer TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY reader_sees_every_row ON ordering.contact FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON ordering.line FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON ordering.orders FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON ordering.returns FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON ordering.transfer FOR SELECT TO entrepot_reader USING (true);

ALTER TABLE ordering.returns ENABLE ROW LEVEL SECURITY;

CREATE POLICY tenant_sees_only_its_own ON ordering.contact AS RESTRICTIVE TO entrepot_tenant USING ((EXISTS ( SELECT
   FROM marketplace.seller_order s
  WHERE ((s.cell = contact.cell) AND (s.order_id = contact.order_id) AND (s.state = ANY (ARRAY['placed'::text, 'part_shipped'::text])))))) WITH CHECK ((EXISTS ( SELECT
   FROM marketplace.seller_order s
  WHERE ((s.cell = contact.cell) AND (s.order_id = contact.order_id) AND (s.state = ANY (ARRAY['placed'::text, 'part_shipped'::text]))))));

CREATE POLICY tenant_sees_only_its_own ON ordering.line AS RESTRICTIVE TO entrepot_tenant USING (((seller_id IN ( SELECT s.id
   FROM marketplace.seller s)) OR ((cell, warehouse) IN ( SELECT w.cell,
    w.code
   FROM marketplace.warehouse w)))) WITH CHECK (((seller_id IN ( SELECT s.id
   FROM marketplace.seller s)) OR ((cell, warehouse) IN ( SELECT w.cell,
    w.code
   FROM marketplace.warehouse w))));

CREATE POLICY tenant_sees_only_its_own ON ordering.orders AS RESTRICTIVE TO entrepot_tenant USING (((company_id = ANY (access.companies())) OR (EXISTS ( SELECT
   FROM ordering.line l
  WHERE ((l.cell = orders.cell) AND (l.order_id = orders.id)))))) WITH CHECK (((company_id = ANY (access.companies())) OR (EXISTS ( SELECT
   FROM ordering.line l
  WHERE ((l.cell = orders.cell) AND (l.order_id = orders.id))))));

CREATE POLICY tenant_sees_only_its_own ON ordering.returns AS RESTRICTIVE TO entrepot_tenant USING ((EXISTS ( SELECT
   FROM ordering.orders o
  WHERE ((o.cell = returns.cell) AND (o.id = returns.order_id))))) WITH CHECK ((EXISTS ( SELECT
   FROM ordering.orders o
  WHERE ((o.cell = returns.cell) AND (o.id = returns.order_id)))));

CREATE POLICY tenant_sees_only_its_own ON ordering.transfer AS RESTRICTIVE TO entrepot_tenant USING ((((debit = 'seller'::ordering.account) AND (debit_party IN ( SELECT (s.id)::text AS id
   FROM marketplace.seller s))) OR ((credit = 'seller'::ordering.account) AND (credit_party IN ( SELECT (s.id)::text AS id
   FROM marketplace.seller s))))) WITH CHECK ((((debit = 'seller'::ordering.account) AND (debit_party IN ( SELECT (s.id)::text AS id
   FROM marketplace.seller s))) OR ((credit = 'seller'::ordering.account) AND (credit_party IN ( SELECT (s.id)::text AS id
   FROM marketplace.seller s)))));

CREATE POLICY tenant_sees_some_rows ON ordering.contact TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON ordering.line TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON ordering.orders TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON ordering.returns TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON ordering.transfer TO entrepot_tenant USING (true) WITH CHECK (true);

ALTER TABLE ordering.transfer ENABLE ROW LEVEL SECURITY;

ALTER TABLE pricing.past_list ENABLE ROW LEVEL SECURITY;

CREATE POLICY platform_sees_every_row ON pricing.past_list TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON pricing.price_list TO entrepot_platform USING (true) WITH CHECK (true);

ALTER TABLE pricing.price_list ENABLE ROW LEVEL SECURITY;

CREATE POLICY reader_sees_every_row ON pricing.past_list FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON pricing.price_list FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY tenant_sees_only_its_own ON pricing.past_list AS RESTRICTIVE TO entrepot_tenant USING (((company_id IS NULL) OR (company_id = ANY (access.companies())))) WITH CHECK (((company_id IS NULL) OR (company_id = ANY (access.companies()))));

CREATE POLICY tenant_sees_only_its_own ON pricing.price_list AS RESTRICTIVE TO entrepot_tenant USING (((company_id IS NULL) OR (company_id = ANY (access.companies())))) WITH CHECK (((company_id IS NULL) OR (company_id = ANY (access.companies()))));

CREATE POLICY tenant_sees_some_rows ON pricing.past_list TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON pricing.price_list TO entrepot_tenant USING (true) WITH CHECK (true);

ALTER TABLE stock.level ENABLE ROW LEVEL SECURITY;

CREATE POLICY platform_sees_every_row ON stock.level TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY platform_sees_every_row ON stock.warehouse TO entrepot_platform USING (true) WITH CHECK (true);

CREATE POLICY reader_sees_every_row ON stock.level FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY reader_sees_every_row ON stock.warehouse FOR SELECT TO entrepot_reader USING (true);

CREATE POLICY tenant_sees_only_its_own ON stock.level AS RESTRICTIVE TO entrepot_tenant USING (((cell, warehouse) IN ( SELECT w.cell,
    w.code
   FROM marketplace.warehouse w))) WITH CHECK (((cell, warehouse) IN ( SELECT w.cell,
    w.code
   FROM marketplace.warehouse w)));

CREATE POLICY tenant_sees_only_its_own ON stock.warehouse AS RESTRICTIVE TO entrepot_tenant USING (((cell, code) IN ( SELECT w.cell,
    w.code
   FROM marketplace.warehouse w))) WITH CHECK (((cell, code) IN ( SELECT w.cell,
    w.code
   FROM marketplace.warehouse w)));

CREATE POLICY tenant_sees_some_rows ON stock.level TO entrepot_tenant USING (true) WITH CHECK (true);

CREATE POLICY tenant_sees_some_rows ON stock.warehouse TO entrepot_tenant USING (true) WITH CHECK (true);

ALTER TABLE stock.warehouse ENABLE ROW LEVEL SECURITY;
