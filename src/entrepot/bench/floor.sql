-- name: drop_database
-- Removes the database of an earlier run, whoever is still connected to it.
DROP DATABASE IF EXISTS entrepot_bench WITH (FORCE);

-- name: create_database
-- Makes the database that a run has for itself.
CREATE DATABASE entrepot_bench;

-- name: prepare
-- The floor: the writes of one order by one call, as a careful team would write them without gathering.
CREATE SCHEMA IF NOT EXISTS bench;

CREATE TABLE IF NOT EXISTS bench.article (
    n integer PRIMARY KEY, sku text NOT NULL, variant_id uuid NOT NULL, product_id uuid NOT NULL, amount_minor bigint NOT NULL
);

CREATE OR REPLACE FUNCTION bench.place_one(which integer) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
    article bench.article;
    level record;
    order_id uuid := uuidv7();
    event_id uuid := uuidv7();
BEGIN
    SELECT * INTO article FROM bench.article WHERE n = which;
    INSERT INTO log.idempotency (cell, key, fingerprint, event_id, subject_id)
    VALUES (1, order_id::text, sha256(order_id::text::bytea), event_id, order_id);
    UPDATE stock.level SET available = available - 1, version = version + 1
    WHERE cell = 1 AND variant_id = article.variant_id AND warehouse = 'main'
    RETURNING available, version INTO level;
    INSERT INTO log.event (cell, id, at, kind, key, version, body, actor)
    VALUES (1, uuidv7(), (extract(epoch FROM clock_timestamp()) * 1000)::bigint << 16, 'stock.changed.v1',
            'stock/' || article.variant_id || '/main', level.version,
            jsonb_build_object('variant_id', article.variant_id, 'warehouse', 'main', 'available', level.available,
                               'delta', -1, 'reason', 'sold'), 'bench');
    INSERT INTO ordering.orders (cell, id, state, customer_id, market, country, currency, placed_at,
                                 goods_minor, charges_minor, total_minor, version)
    VALUES (1, order_id, 'placed', NULL, 'uk', 'GB', 'GBP', now(), article.amount_minor, 0, article.amount_minor, 1);
    INSERT INTO ordering.line (cell, order_id, line, product_id, variant_id, sku, category_id, warehouse, quantity,
                               unit_minor, amount_minor)
    VALUES (1, order_id, 1, article.product_id, article.variant_id, article.sku, NULL, 'main', 1,
            article.amount_minor, article.amount_minor);
    INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at)
    VALUES (1, order_id, order_id, 'receivable', 'sales', article.amount_minor, 'GBP', now());
    INSERT INTO log.event (cell, id, at, kind, key, version, body, actor)
    VALUES (1, event_id, (extract(epoch FROM clock_timestamp()) * 1000)::bigint << 16, 'ordering.order_placed.v1',
            'order/' || order_id, 1,
            jsonb_build_object(
                'id', order_id, 'placed_at', now(), 'market', 'uk', 'country', 'GB', 'currency', 'GBP',
                'lines', jsonb_build_array(jsonb_build_object(
                    'line', 1, 'product_id', article.product_id, 'variant_id', article.variant_id, 'sku', article.sku,
                    'warehouse', 'main', 'quantity', 1, 'unit_minor', article.amount_minor,
                    'amount_minor', article.amount_minor, 'category_id', NULL)),
                'charges', '[]'::jsonb, 'customer_id', NULL, 'goods_minor', article.amount_minor, 'charges_minor', 0,
                'total_minor', article.amount_minor), 'bench');
    RETURN order_id;
END
$$;

GRANT USAGE ON SCHEMA bench TO entrepot_platform;
GRANT SELECT, INSERT ON bench.article TO entrepot_platform;

-- name: fill
-- Numbers the articles for the floor.
INSERT INTO bench.article (n, sku, variant_id, product_id, amount_minor)
SELECT row_number() OVER (ORDER BY s.sku), s.sku, s.variant_id, s.product_id, p.amount_minor
FROM catalog.sku AS s JOIN pricing.price AS p ON p.variant_id = s.variant_id AND p.market = 'uk'
ON CONFLICT (n) DO NOTHING;

-- name: proof
-- What must hold after any run: nothing oversold, the ledger zero, one order per key, stock gone = pieces ordered.
SELECT (SELECT count(*) FROM stock.level WHERE available < 0) AS oversold,
       (SELECT coalesce(sum(s.amount), 0) FROM (
            SELECT amount_minor AS amount FROM ordering.transfer UNION ALL SELECT -amount_minor FROM ordering.transfer) AS s)
           AS ledger,
       (SELECT count(*) FROM log.idempotency) - (SELECT count(*) FROM ordering.orders) AS keys_without_order,
       (SELECT sum(-(body ->> 'delta')::bigint) FROM log.event WHERE kind = 'stock.changed.v1' AND body ->> 'reason' = 'sold')
           - (SELECT sum(quantity) FROM ordering.line) AS pieces_differing;
