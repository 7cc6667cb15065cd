-- name: markets
-- Every market and its currency.
SELECT code, currency FROM pricing.market ORDER BY code;

-- name: put_market
-- Makes a market; one that exists keeps its currency, since its prices are in it.
INSERT INTO pricing.market (code, currency) VALUES ($1, $2) ON CONFLICT (code) DO NOTHING;

-- name: claim_products
-- Makes sure that the products have a row to lock.
INSERT INTO pricing.product (product_id, version)
SELECT p.id, 0 FROM unnest($1::uuid[]) AS p (id) ORDER BY p.id
ON CONFLICT (product_id) DO NOTHING;

-- name: products_for_update
-- Locks the prices of products in id order and returns how often each has changed.
SELECT product_id, version FROM pricing.product WHERE product_id = ANY ($1::uuid[]) ORDER BY product_id FOR UPDATE;

-- name: prices_of_products
-- Every price of these products.
SELECT product_id, variant_id, market, currency, amount_minor FROM pricing.price WHERE product_id = ANY ($1::uuid[]);

-- name: put_prices
-- Writes prices as they now are.
INSERT INTO pricing.price (product_id, variant_id, market, currency, amount_minor)
SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[])
ON CONFLICT (variant_id, market) DO UPDATE SET amount_minor = excluded.amount_minor, currency = excluded.currency;

-- name: clear_prices
-- Takes every price of these products away; the caller holds their lock.
DELETE FROM pricing.price WHERE product_id = ANY ($1::uuid[]) RETURNING product_id;

-- name: count_change
-- Counts one more change of each product's prices.
UPDATE pricing.product AS p SET version = p.version + 1 WHERE p.product_id = ANY ($1::uuid[]);
