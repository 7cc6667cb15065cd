-- An order's contact is written as it was held: sealed; plain only where a checkout was begun before this.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- A buyer's email is unique in the company, by its blind index; of which plain ones have none yet.
-- squawk-ignore require-concurrent-index-creation -- the column is new and empty
CREATE UNIQUE INDEX buyer_email_is_unique_in_the_company ON business.buyer (cell, company_id, email_blind);

-- Places authorized checkouts, as before (0018); contacts may be sealed.
CREATE OR REPLACE FUNCTION checkout.place_checkouts(
    in_cell integer, stamp bigint, acting text, at timestamptz,
    ids uuid[], gateways text[], refs text[], labels text[], captured bigint[], payment_events uuid[], capture_events uuid[],
    capture_transfers uuid[]
) RETURNS SETOF checkout.ended
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
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

        INSERT INTO log.event (cell, id, at, kind, key, version, body, subject, actor)
        SELECT in_cell, c.event_id, stamp, 'ordering.order_placed.v1', 'order/' || c.id, 1, c.held -> 'order',
               (c.held -> 'order' ->> 'customer_id')::uuid, acting
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
