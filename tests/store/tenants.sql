-- One row of each of two sellers (a, b) and of each of their namesakes among companies, in every table that has a tenant.
SET session_replication_role = replica;  -- what these rows point at is no matter here
DO $$
DECLARE
    who text;
    seller uuid;
    company uuid;
    orders uuid[];
    thing uuid;
BEGIN
    FOREACH who IN ARRAY ARRAY['a', 'b'] LOOP
        seller := uuidv7(); company := uuidv7(); thing := uuidv7(); orders := ARRAY[uuidv7(), uuidv7()];
        INSERT INTO marketplace.seller (id, code, name, kind, country, commission_permille, version)
        VALUES (seller, who, who, 'marketplace', 'GB', 100, 1);
        INSERT INTO business.company VALUES (1, company, who, who, 'GB', who, 'GBP', 100, 30, 'active', 1);
        INSERT INTO marketplace.payout (cell, id, seller_id, currency, amount_minor, state, asked_at)
        VALUES (1, thing, seller, 'GBP', 1, 'asked', now());
        INSERT INTO marketplace.seller_order (cell, order_id, seller_id, state, placed_at, version) VALUES (1, orders[1], seller, 'placed', now(), 1);
        INSERT INTO marketplace.supplied VALUES (1, orders[1], 1, seller, 1, 0, 1, 'GBP');
        INSERT INTO marketplace.warehouse (cell, code, seller_id) VALUES (1, who, seller);
        INSERT INTO marketplace.supply VALUES (1, who, thing, 1, 'GBP');
        INSERT INTO stock.warehouse (cell, code, rank) VALUES (1, who, 1);
        INSERT INTO stock.level (cell, variant_id, warehouse, available, version) VALUES (1, thing, who, 1, 1);
        INSERT INTO fulfilment.waiting VALUES (1, thing, orders[1], 1, who, seller, who, 1);
        INSERT INTO fulfilment.shipment (cell, id, order_id, warehouse, seller_id, state, planned_at, version)
        VALUES (1, thing, orders[1], who, seller, 'planned', now(), 1);
        INSERT INTO fulfilment.shipment_line VALUES (1, thing, 1, who, thing, 1);
        INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at, credit_party)
        VALUES (1, uuidv7(), orders[1], 'receivable', 'seller', 1, 'GBP', now(), seller::text);
        INSERT INTO ordering.line (cell, order_id, line, product_id, variant_id, sku, warehouse, quantity, unit_minor, amount_minor, seller_id)
        VALUES (1, orders[1], 1, thing, thing, who, who, 1, 1, 1, seller);
        INSERT INTO ordering.orders (cell, id, state, market, country, currency, placed_at, goods_minor, charges_minor, total_minor, version, company_id)
        VALUES (1, orders[1], 'placed', 'gb', 'GB', 'GBP', now(), 1, 0, 1, 1, NULL), (1, orders[2], 'placed', 'gb', 'GB', 'GBP', now(), 1, 0, 1, 1, company);
        INSERT INTO ordering.contact (cell, order_id, name) VALUES (1, orders[1], who);
        INSERT INTO ordering.returns (cell, id, order_id, market, country, currency, returned_at, reason, restocked, total_minor)
        VALUES (1, uuidv7(), orders[1], 'gb', 'GB', 'GBP', now(), '', true, 1);
        INSERT INTO business.buyer (cell, id, company_id, role, state, version) VALUES (1, thing, company, 'buyer', 'active', 1);
        INSERT INTO business.invoice (cell, id, number, state, company_id, order_id, issued_at, due_on, currency, total_minor, body, version)
        VALUES (1, thing, who, 'open', company, orders[2], now(), now(), 'GBP', 1, '{}', 1);
        INSERT INTO business.credit_note (cell, id, number, company_id, invoice_id, about_id, issued_at, currency, total_minor, body, version)
        VALUES (1, thing, who, company, thing, thing, now(), 'GBP', 1, '{}', 1);
        INSERT INTO business.negotiation (cell, id, company_id, buyer_id, state, market, currency, skus, quantities, units_minor, proposed_by, version)
        VALUES (1, thing, company, thing, 'requested', 'gb', 'GBP', '{}', '{}', '{}', 'company', 1);
        INSERT INTO business.negotiation_round VALUES (1, thing, 1, 'company', 'requested', '{}', NULL, '', now());
        INSERT INTO business.purchase (cell, id, company_id, buyer_id, state, purchase_order, currency, total_minor, request, why, asked_at, version)
        VALUES (1, thing, company, thing, 'pending', who, 'GBP', 1, '{}', '', now(), 1);
        INSERT INTO business.receipt VALUES (1, thing, who, company, '', now(), 'GBP', 1, 0, 1);
        INSERT INTO business.settlement VALUES (1, thing, thing, thing, NULL, 1, now());
        INSERT INTO checkout.allowance VALUES (1, 'credit/' || company, 0, 100);
        INSERT INTO pricing.price_list VALUES (who, who, 'gb', 'GBP', 'direct', '', company, 1, now(), NULL, true, 1);
        INSERT INTO catalog.sku (sku, variant_id, product_id, seller_id) VALUES (who, thing, thing, seller);
        INSERT INTO identity.membership VALUES (thing, 'seller_owner', 'seller/' || who, now(), 'system');
        INSERT INTO log.idempotency (cell, key, fingerprint, event_id, subject_id)
        VALUES (1, who || ';1', '', thing, thing), (1, company || ';1', '', thing, thing), (1, 'of the platform/' || who, '', thing, thing);
    END LOOP;
END
$$;
SET session_replication_role = origin;

-- Becomes one tenant after the other within a transaction, by cached plans, and returns how many rows it saw and how many of those
-- were another's.
CREATE FUNCTION public.switched(times integer, companies uuid[], OUT seen bigint, OUT foreign_rows bigint)
LANGUAGE plpgsql AS $$
DECLARE
    mine bigint;
    others bigint;
    turn integer;
BEGIN
    seen := 0; foreign_rows := 0;
    FOR n IN 1..times LOOP
        turn := n % 2 + 1;
        PERFORM set_config('entrepot.sellers', chr(96 + turn), true), set_config('entrepot.companies', companies[turn]::text, true);
        SELECT count(*) FILTER (WHERE l.warehouse = chr(96 + turn)), count(*) FILTER (WHERE l.warehouse <> chr(96 + turn))
        INTO mine, others FROM stock.level AS l;
        seen := seen + mine; foreign_rows := foreign_rows + others;
        SELECT count(*) FILTER (WHERE b.company_id = companies[turn]), count(*) FILTER (WHERE b.company_id <> companies[turn])
        INTO mine, others FROM business.buyer AS b;
        seen := seen + mine; foreign_rows := foreign_rows + others;
    END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION public.switched TO entrepot_tenant;
