-- The hot path: many orders of one cell placed by one call (docs/decisions/0006).
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA checkout;

CREATE TYPE checkout.outcome AS (
    place integer,        -- of the order in the arrays, from 1
    outcome text,         -- placed, repeated, reused (the key, for another body), refused
    order_id uuid,        -- the order that was placed, now or by the first call with this key
    line integer,         -- refused: the number of the first line that could not be had
    available integer,    -- refused: what was left for it
    txid bigint,
    seq bigint
);

-- Places the orders of one cell, in arrival order, each whole or not at all; one that is refused leaves its neighbours be.
--
-- Orders, lines and charges are parallel arrays; `line_order` and `charge_order` hold the place of their order, ascending.
-- Locks are taken in key order, first idempotency keys, then stock levels, so that two calls never wait for each other.
-- Plain steps, arrays as parameters: this is the form that Citus runs on the node that holds the cell.
CREATE FUNCTION checkout.place_orders(
    in_cell integer, stamp bigint, acting text,
    order_ids uuid[], event_ids uuid[], keys text[], fingerprints bytea[], customers uuid[], markets text[], countries text[],
    currencies text[], placed_ats timestamptz[], goods bigint[], charges bigint[], bodies text[],
    line_order integer[], line_number integer[], line_product uuid[], line_variant uuid[], line_sku text[],
    line_category uuid[], line_warehouse text[], line_quantity integer[], line_unit bigint[], line_amount bigint[],
    line_event uuid[],
    charge_order integer[], charge_number integer[], charge_kind text[], charge_amount bigint[], charge_note text[],
    charge_transfer uuid[]
) RETURNS SETOF checkout.outcome
LANGUAGE plpgsql AS $$
DECLARE
    orders CONSTANT integer := cardinality(order_ids);
    accepted boolean[] := array_fill(true, ARRAY[orders]);
    claimed integer;
    seen record;
    known_orders uuid[] := array_fill(NULL::uuid, ARRAY[orders]);
    known_events uuid[] := array_fill(NULL::uuid, ARRAY[orders]);
    reused boolean[] := array_fill(false, ARRAY[orders]);
    level_variant uuid[];
    level_warehouse text[];
    level_before integer[];
    level_left integer[];
    level_version bigint[];
    level_event uuid[];
    all_can_be_had boolean;
    refused_line integer[] := array_fill(NULL::integer, ARRAY[orders]);
    refused_left integer[] := array_fill(NULL::integer, ARRAY[orders]);
    line_level integer[];
    line_wanted integer[];
    line_of integer[];
    this integer;
    first_line integer := 1;
    next_line integer;
    lines CONSTANT integer := cardinality(line_order);
BEGIN
    -- 1. Claim the keys. A key that another call holds is waited for here, while we hold no stock.
    INSERT INTO log.idempotency (cell, key, fingerprint, event_id, subject_id)
    SELECT in_cell, k.key, k.fingerprint, k.event_id, k.order_id
    FROM unnest(keys, fingerprints, event_ids, order_ids) AS k (key, fingerprint, event_id, order_id)
    ORDER BY k.key
    ON CONFLICT (cell, key) DO NOTHING;
    GET DIAGNOSTICS claimed = ROW_COUNT;
    IF claimed < orders THEN
        FOR seen IN
            SELECT k.place, i.subject_id, i.event_id, i.fingerprint <> k.fingerprint AS other
            FROM unnest(keys, fingerprints, event_ids) WITH ORDINALITY AS k (key, fingerprint, event_id, place)
            JOIN log.idempotency AS i ON i.cell = in_cell AND i.key = k.key
            WHERE i.event_id <> k.event_id
        LOOP
            accepted[seen.place] := false;
            known_orders[seen.place] := seen.subject_id;
            known_events[seen.place] := seen.event_id;
            reused[seen.place] := seen.other;
        END LOOP;
    END IF;

    -- 2. Lock the levels in key order and sum what is wanted of each.
    SELECT array_agg(l.variant_id), array_agg(l.warehouse), array_agg(l.available), array_agg(l.available - l.wanted),
           array_agg(l.version), array_agg(l.event_id),
           coalesce(bool_and(l.available >= l.wanted) AND sum(l.wanted) = (SELECT sum(q) FROM unnest(line_quantity) AS q), false)
    INTO level_variant, level_warehouse, level_before, level_left, level_version, level_event, all_can_be_had
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

    -- 3. Admit. When all can be had and every key is new, all are in; else one by one, as they came.
    IF claimed < orders OR NOT all_can_be_had THEN
        level_left := coalesce(level_before, '{}');
        SELECT array_agg(v.place ORDER BY u.place), array_agg(u.quantity ORDER BY u.place), array_agg(u.of ORDER BY u.place)
        INTO line_level, line_wanted, line_of
        FROM unnest(line_variant, line_warehouse, line_quantity, line_order) WITH ORDINALITY
            AS u (variant_id, warehouse, quantity, of, place)
        LEFT JOIN unnest(level_variant, level_warehouse) WITH ORDINALITY
            AS v (variant_id, warehouse, place) USING (variant_id, warehouse);
        FOR this IN 1 .. orders LOOP
            next_line := first_line;
            WHILE next_line <= lines AND line_of[next_line] = this LOOP
                IF accepted[this] THEN
                    IF line_level[next_line] IS NULL OR level_left[line_level[next_line]] < line_wanted[next_line] THEN
                        accepted[this] := false;
                        FOR given IN first_line .. next_line - 1 LOOP
                            level_left[line_level[given]] := level_left[line_level[given]] + line_wanted[given];
                        END LOOP;
                        refused_line[this] := line_number[next_line];
                        refused_left[this] := coalesce(level_left[line_level[next_line]], 0);
                    ELSE
                        level_left[line_level[next_line]] := level_left[line_level[next_line]] - line_wanted[next_line];
                    END IF;
                END IF;
                next_line := next_line + 1;
            END LOOP;
            first_line := next_line;
        END LOOP;
        -- A refused order leaves no trace: its key may be tried again.
        DELETE FROM log.idempotency AS i
        USING unnest(keys, event_ids, accepted) AS k (key, event_id, in_order)
        WHERE i.cell = in_cell AND i.key = k.key AND i.event_id = k.event_id AND NOT k.in_order;
    END IF;

    IF true = ANY (accepted) THEN
        -- 4. Take the stock: one decrement and one event per level, however many orders took from it.
        UPDATE stock.level AS s
        SET available = t.remaining, version = t.version + 1
        FROM unnest(level_variant, level_warehouse, level_before, level_left, level_version)
            AS t (variant_id, warehouse, had, remaining, version)
        WHERE s.cell = in_cell AND s.variant_id = t.variant_id AND s.warehouse = t.warehouse AND t.remaining < t.had;

        INSERT INTO log.event (cell, id, at, kind, key, version, body, actor)
        SELECT in_cell, t.event_id, stamp, 'stock.changed.v1', 'stock/' || t.variant_id || '/' || t.warehouse, t.version + 1,
               jsonb_build_object('variant_id', t.variant_id, 'warehouse', t.warehouse, 'available', t.remaining,
                                  'delta', t.remaining - t.had, 'reason', 'sold'), acting
        FROM unnest(level_variant, level_warehouse, level_before, level_left, level_version, level_event)
            AS t (variant_id, warehouse, had, remaining, version, event_id)
        WHERE t.remaining < t.had;

        -- 5. The orders, what they hold, what is owed for them, and the events that tell of them.
        INSERT INTO ordering.orders (cell, id, state, customer_id, market, country, currency, placed_at,
                                     goods_minor, charges_minor, total_minor, version)
        SELECT in_cell, o.id, 'placed', o.customer_id, o.market, o.country, o.currency, o.placed_at,
               o.goods, o.charges, o.goods + o.charges, 1
        FROM unnest(order_ids, customers, markets, countries, currencies, placed_ats, goods, charges, accepted)
            AS o (id, customer_id, market, country, currency, placed_at, goods, charges, in_order)
        WHERE o.in_order;

        INSERT INTO ordering.line (cell, order_id, line, product_id, variant_id, sku, category_id, warehouse, quantity,
                                   unit_minor, amount_minor)
        SELECT in_cell, order_ids[l.of], l.line, l.product_id, l.variant_id, l.sku, l.category_id, l.warehouse, l.quantity,
               l.unit_minor, l.amount_minor
        FROM unnest(line_order, line_number, line_product, line_variant, line_sku, line_category, line_warehouse,
                    line_quantity, line_unit, line_amount)
            AS l (of, line, product_id, variant_id, sku, category_id, warehouse, quantity, unit_minor, amount_minor)
        WHERE accepted[l.of];

        INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at)
        SELECT in_cell, o.id, o.id, 'receivable', 'sales', o.goods, o.currency, o.placed_at
        FROM unnest(order_ids, goods, currencies, placed_ats, accepted) AS o (id, goods, currency, placed_at, in_order)
        WHERE o.in_order AND o.goods > 0;

        IF cardinality(charge_order) > 0 THEN
            INSERT INTO ordering.charge (cell, order_id, charge, kind, amount_minor, note)
            SELECT in_cell, order_ids[c.of], c.charge, c.kind, c.amount_minor, c.note
            FROM unnest(charge_order, charge_number, charge_kind, charge_amount, charge_note)
                AS c (of, charge, kind, amount_minor, note)
            WHERE accepted[c.of];

            INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at)
            SELECT in_cell, c.id, order_ids[c.of],
                   CASE WHEN c.amount_minor > 0 THEN 'receivable' ELSE ordering.charge_account(c.kind) END,
                   CASE WHEN c.amount_minor > 0 THEN ordering.charge_account(c.kind) ELSE 'receivable' END,
                   abs(c.amount_minor), currencies[c.of], placed_ats[c.of]
            FROM unnest(charge_order, charge_transfer, charge_kind, charge_amount) AS c (of, id, kind, amount_minor)
            WHERE accepted[c.of] AND c.amount_minor <> 0;
        END IF;

        INSERT INTO log.event (cell, id, at, kind, key, version, body, subject, actor)
        SELECT in_cell, o.event_id, stamp, 'ordering.order_placed.v1', 'order/' || o.id, 1, o.body::jsonb, o.customer_id, acting
        FROM unnest(order_ids, event_ids, bodies, customers, accepted) AS o (id, event_id, body, customer_id, in_order)
        WHERE o.in_order;
    END IF;

    -- 6. Answer each on its own. The position is that of the batch's last event: who waits for it has seen every one.
    RETURN QUERY
    SELECT o.place::integer,
           CASE WHEN o.in_order THEN 'placed' WHEN o.reused THEN 'reused' WHEN o.known_order IS NOT NULL THEN 'repeated'
                ELSE 'refused' END,
           CASE WHEN o.in_order THEN o.id ELSE o.known_order END,
           o.refused_line, o.refused_left,
           CASE WHEN o.in_order THEN pg_current_xact_id()::text::bigint ELSE e.txid::text::bigint END,
           CASE WHEN o.in_order THEN currval('log.event_seq') ELSE e.seq END
    FROM unnest(order_ids, accepted, reused, known_orders, known_events, refused_line, refused_left) WITH ORDINALITY
        AS o (id, in_order, reused, known_order, known_event, refused_line, refused_left, place)
    LEFT JOIN log.event AS e ON e.cell = in_cell AND e.id = o.known_event AND NOT o.in_order;
END
$$;
