-- The entries of the orders of one call are one row, which costs a tenth of a row each; they get rows of their own a moment later.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SEQUENCE audit.entry_batch_seq;

-- The entries of the orders that one call placed, until each is a row of ``audit.entry``: what differs between them, in the order of
-- the call, with those that were refused (``placed`` false) and those of no request (``id`` null), which have none.
CREATE TABLE audit.entry_batch (
    cell integer NOT NULL,
    seq bigint NOT NULL DEFAULT nextval('audit.entry_batch_seq'),
    at bigint NOT NULL,
    placed boolean[] NOT NULL,
    id uuid[] NOT NULL,
    object uuid[] NOT NULL,
    subject uuid[] NOT NULL,
    actor text[] NOT NULL,
    network text[] NOT NULL,
    agent text[] NOT NULL,
    why text[] NOT NULL,
    CONSTRAINT entry_batch_seq_is_unique PRIMARY KEY (cell, seq)
);

-- They stay for a second: to press them together costs more than it saves.
ALTER TABLE audit.entry_batch
    ALTER COLUMN id SET STORAGE EXTERNAL, ALTER COLUMN object SET STORAGE EXTERNAL, ALTER COLUMN subject SET STORAGE EXTERNAL,
    ALTER COLUMN actor SET STORAGE EXTERNAL, ALTER COLUMN network SET STORAGE EXTERNAL, ALTER COLUMN agent SET STORAGE EXTERNAL,
    ALTER COLUMN why SET STORAGE EXTERNAL;

CREATE TRIGGER entry_batch_is_not_changed BEFORE UPDATE OR TRUNCATE ON audit.entry_batch
    FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse();

-- The entries of a batch, as they are written out.
CREATE FUNCTION audit.entries_of(b audit.entry_batch) RETURNS TABLE (
    id uuid, actor text, object text, subject uuid, network text, agent text, why text
)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT o.id, o.actor, o.object::text, o.subject, o.network, o.agent, o.why
    FROM unnest(b.placed, b.id, b.object, b.subject, b.actor, b.network, b.agent, b.why)
        AS o (placed, id, object, subject, actor, network, agent, why)
    WHERE o.placed AND o.id IS NOT NULL
$$;

-- Gives the entries of the oldest batches of a cell rows of their own, and returns how many batches that were. One is there already
-- where somebody was told meanwhile that it takes too long: it says so, and stays. Whoever owns the audit does it, since nobody
-- else may take a batch away, and this takes none whose entries it has not written.
CREATE FUNCTION audit.write_out(in_cell integer, batches_max integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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

-- Every entry there is, written out or not.
CREATE VIEW audit.every_entry AS
SELECT cell, id, at, class, actor, action, object, subject, network, agent, why, status, problem, others FROM audit.entry
UNION ALL
SELECT b.cell, e.id, b.at, 'command', e.actor, 'POST /v1/orders', e.object, e.subject, e.network, e.agent, e.why, 201, '', NULL
FROM audit.entry_batch AS b CROSS JOIN LATERAL audit.entries_of(b) AS e
WHERE NOT EXISTS (SELECT FROM audit.entry AS w WHERE w.cell = b.cell AND w.id = e.id);

-- Places the orders of one cell, in arrival order, each whole or not at all; one that is refused leaves its neighbours be. An order
-- of a request carries its id as cause, and leaves its entry in the audit (all of the call in one row): both are there, or neither.
CREATE OR REPLACE FUNCTION checkout.place_orders(
    in_cell integer, stamp bigint, acting text,
    order_ids uuid[], event_ids uuid[], keys text[], fingerprints bytea[], customers uuid[], markets text[], countries text[],
    currencies text[], placed_ats timestamptz[], goods bigint[], charges bigint[], bodies text[],
    line_order integer[], line_number integer[], line_product uuid[], line_variant uuid[], line_sku text[],
    line_category uuid[], line_warehouse text[], line_quantity integer[], line_unit bigint[], line_amount bigint[],
    line_event uuid[],
    charge_order integer[], charge_number integer[], charge_kind text[], charge_amount bigint[], charge_note text[],
    charge_transfer uuid[],
    requests uuid[], actors text[], networks text[], agents text[], whys text[]
) RETURNS SETOF checkout.outcome
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
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
