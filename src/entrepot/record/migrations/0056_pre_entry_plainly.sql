-- An order's entry is written without looking first for one of the same request, which is there once in a long while.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Places the orders of one cell, in arrival order, each whole or not at all; one that is refused leaves its neighbours be. An order
-- of a request carries its id as cause, and leaves its entry in the audit: both are there, or neither.
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
    told boolean := false;
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

        -- Plainly at first: to look whether an entry is there already cost a quarter of writing it. One is there where somebody was
        -- told meanwhile that it takes too long: it says so, and stays.
        LOOP
            BEGIN
                INSERT INTO audit.entry (cell, id, at, class, actor, action, object, subject, network, agent, why, status, problem)
                SELECT in_cell, o.request, stamp, 'command', o.actor, 'POST /v1/orders', o.id::text, o.customer_id, o.network,
                       o.agent, o.why, 201, ''
                FROM unnest(order_ids, customers, a.accepted, requests, actors, networks, agents, whys)
                    AS o (id, customer_id, in_order, request, actor, network, agent, why)
                WHERE o.in_order AND o.request IS NOT NULL
                    AND (NOT told OR (SELECT e.id FROM audit.entry AS e WHERE e.cell = in_cell AND e.id = o.request) IS NULL);
                EXIT;
            EXCEPTION
                WHEN unique_violation THEN told := true;
            END;
        END LOOP;
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

-- The chain takes the next rows by the index that has them in commit order, also of a day that the planner has no figures of yet: it
-- thought such a day nearly empty, and sorted all that waited to be linked for every step.
ALTER FUNCTION audit.link_next(integer, text, bigint, integer) SET enable_seqscan = off;
ALTER FUNCTION audit.link_next(integer, text, bigint, integer) SET enable_bitmapscan = off;
