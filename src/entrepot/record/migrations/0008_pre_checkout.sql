-- The saga of a checkout: reserve, (authorize at the gateway), place or release, each for many checkouts by one call
-- (docs/decisions/0008). Plain steps with arrays as parameters, as in 0004.
-- transactional: true
--
-- What a call reads it names by key (`= ANY`), and its plans are made once, for lookups: what a table held when a session planned
-- first (nothing, on the first day) must not decide how it is read for ever.
--
-- Every function takes its locks in one order, so that no two calls wait for each other: idempotency keys by key, checkouts by id,
-- stock levels by variant and warehouse, allowances by name.

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- A checkout from its reservation to its end. `held` is the order as priced, with contact and payment: what was reserved is what is
-- placed. It holds personal data, and goes when the checkout ends. `event_id` is of the event that tells of that end. The order that
-- is placed has the checkout's id.
CREATE TABLE checkout.checkout (
    cell integer NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL,
    customer_id uuid,
    total_minor bigint NOT NULL,
    currency text NOT NULL,
    event_id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    stepped_at timestamptz NOT NULL,
    claim_names text[] NOT NULL DEFAULT '{}',
    claim_amounts bigint[] NOT NULL DEFAULT '{}',
    challenge_url text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    held jsonb,
    CONSTRAINT checkout_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT checkout_state_is_known CHECK (
        state IN ('authorizing', 'challenged', 'compensating', 'placed', 'declined', 'expired', 'compensated')
    ),
    CONSTRAINT checkout_holds_its_order_until_it_ends CHECK (
        (state IN ('authorizing', 'challenged', 'compensating')) = (held IS NOT NULL)
    ),
    CONSTRAINT claims_are_parallel CHECK (cardinality(claim_names) = cardinality(claim_amounts))
) PARTITION BY RANGE (id);

-- A partitioned table cannot be indexed concurrently; this one is new.
CREATE INDEX checkouts_under_way ON checkout.checkout (cell, stepped_at) WHERE held IS NOT NULL;

-- Claims idempotency keys and returns those that had been claimed before, each with whose they are. A key that another call holds is
-- waited for here, so a caller claims keys before it holds anything else.
CREATE FUNCTION checkout.claim_keys(in_cell integer, keys text[], fingerprints bytea[], event_ids uuid[], subject_ids uuid[])
RETURNS TABLE (place integer, subject_id uuid, event_id uuid, other boolean)
LANGUAGE plpgsql AS $$
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

-- Decides in arrival order who of the `wanted` gets all of its lines and claims, and what then remains of every level and allowance.
-- Locks both, levels before allowances, each in key order; changes nothing, but makes an allowance whose `most` is given.
--
-- Lines and claims are parallel arrays; `line_of` and `claim_of` hold the place of who asks, ascending. One who is refused takes
-- nothing, and is told the first line (or claim) that could not be had, by its place in the arrays, and what was left of it.
CREATE FUNCTION checkout.admit(
    in_cell integer, wanted boolean[],
    line_of integer[], line_variant uuid[], line_warehouse text[], line_quantity integer[], line_event uuid[],
    claim_of integer[], claim_name text[], claim_amount bigint[], claim_most bigint[],
    OUT accepted boolean[], OUT refused_line integer[], OUT refused_claim integer[], OUT refused_left bigint[],
    OUT level_variant uuid[], OUT level_warehouse text[], OUT level_before integer[], OUT level_left integer[],
    OUT level_version bigint[], OUT level_event uuid[],
    OUT allowance_name text[], OUT allowance_before bigint[], OUT allowance_left bigint[], OUT allowance_most bigint[]
)
LANGUAGE plpgsql AS $$
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

-- Sets what remains available of locked levels, and tells of each that changed by one event. `holding`: what goes is reserved, and
-- what comes was reserved before; else it goes for good.
CREATE FUNCTION checkout.move_stock(
    in_cell integer, stamp bigint, acting text, why text, holding boolean,
    level_variant uuid[], level_warehouse text[], level_before integer[], level_left integer[], level_version bigint[],
    level_event uuid[]
) RETURNS void
LANGUAGE plpgsql AS $$
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

CREATE TYPE checkout.reserved AS (
    place integer,        -- of the checkout in the arrays, from 1
    outcome text,         -- reserved, repeated, reused (the key, for another body), refused
    checkout_id uuid,     -- the checkout that was reserved, now or by the first call with this key
    line integer,         -- refused: the place in the line arrays of the first that could not be had
    claim integer,        -- refused: the place in the claim arrays of the first that could not be had
    remaining bigint      -- refused: what was left of it
);

-- Reserves what checkouts of one cell want, in arrival order, each whole or not at all: pieces of stock, and parts of allowances.
-- One that is refused leaves no trace, and its neighbours be.
CREATE FUNCTION checkout.reserve_checkouts(
    in_cell integer, stamp bigint, acting text, at timestamptz, ends timestamptz,
    ids uuid[], event_ids uuid[], keys text[], fingerprints bytea[], customers uuid[], totals bigint[], currencies text[], helds text[],
    line_of integer[], line_variant uuid[], line_warehouse text[], line_quantity integer[], line_event uuid[],
    claim_of integer[], claim_name text[], claim_amount bigint[], claim_most bigint[]
) RETURNS SETOF checkout.reserved
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
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

CREATE TYPE checkout.ended AS (
    place integer,        -- of the checkout in the arrays, from 1
    state text,           -- as it is now; NULL: there is no such checkout
    now_so boolean,       -- whether this call made it so
    txid bigint,          -- where the log tells of its end, once it has ended
    seq bigint
);
