-- An entry names everybody of whom an answer tells, and what a checkout ends with names the request that began it.
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

-- What a checkout ends with names the request that began it, which its `held` knows: whoever ends it, and however much later.
CREATE OR REPLACE FUNCTION checkout.place_checkouts(in_cell integer, stamp bigint, acting text, at timestamp with time zone, ids uuid[], gateways text[], refs text[], labels text[], captured bigint[], payment_events uuid[], capture_events uuid[], capture_transfers uuid[]) RETURNS SETOF checkout.ended
    LANGUAGE plpgsql
    SET plan_cache_mode = 'force_generic_plan'
    SET enable_seqscan = 'off'
    SET enable_hashjoin = 'off'
    SET enable_mergejoin = 'off'
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

CREATE OR REPLACE FUNCTION checkout.release_checkouts(in_cell integer, stamp bigint, acting text, at timestamp with time zone, ids uuid[], ends text[], reasons text[], level_events uuid[]) RETURNS SETOF checkout.ended
    LANGUAGE plpgsql
    SET plan_cache_mode = 'force_generic_plan'
    SET enable_seqscan = 'off'
    SET enable_hashjoin = 'off'
    SET enable_mergejoin = 'off'
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
