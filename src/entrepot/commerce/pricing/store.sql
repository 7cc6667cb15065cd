-- name: markets
-- Every market and its currency.
SELECT code, currency FROM pricing.market ORDER BY code;

-- name: countries
-- Every market and the country that it lies in.
SELECT code, country FROM pricing.market;

-- name: put_market
-- Makes a market; one that exists keeps its currency, since its prices are in it.
INSERT INTO pricing.market (code, currency) VALUES ($1, $2) ON CONFLICT (code) DO NOTHING RETURNING code;

-- name: market
-- A market as it stands.
SELECT code, currency, country, prices_include_tax, currencies, version FROM pricing.market WHERE code = $1;

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

-- name: put_market_terms
-- Writes where a market lies, how its prices are meant and what else it sells in; NULL leaves a term as it is.
UPDATE pricing.market AS m
SET country = coalesce($2, m.country), prices_include_tax = coalesce($3, m.prices_include_tax),
    currencies = coalesce($4, m.currencies), version = m.version + 1
WHERE m.code = $1 AND (m.country, m.prices_include_tax, m.currencies)
    IS DISTINCT FROM (coalesce($2, m.country), coalesce($3, m.prices_include_tax), coalesce($4, m.currencies))
RETURNING m.code;

-- name: put_price_list
-- Writes a price list as it now is since a moment, and returns its version if that is a change.
INSERT INTO pricing.price_list AS l
    (code, title, market, currency, channel, customer_group, company_id, rank, valid_from, valid_until, active, since, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1)
ON CONFLICT (code) DO UPDATE SET title = excluded.title, market = excluded.market, currency = excluded.currency,
    channel = excluded.channel, customer_group = excluded.customer_group, company_id = excluded.company_id,
    rank = excluded.rank, valid_from = excluded.valid_from, valid_until = excluded.valid_until, active = excluded.active,
    since = excluded.since, version = l.version + 1
WHERE (l.title, l.market, l.currency, l.channel, l.customer_group, l.company_id, l.rank, l.valid_from, l.valid_until, l.active)
    IS DISTINCT FROM (excluded.title, excluded.market, excluded.currency, excluded.channel, excluded.customer_group,
                      excluded.company_id, excluded.rank, excluded.valid_from, excluded.valid_until, excluded.active)
RETURNING version;

-- name: price_lists
-- Price lists in the order of their codes, after one.
SELECT code, title, market, currency, rank, valid_from, valid_until, channel, customer_group, company_id, active
FROM pricing.price_list WHERE code > $1 ORDER BY code LIMIT $2;

-- name: latest_rates
-- The last rate that was set of each pair and holds at a moment.
SELECT DISTINCT ON (base, quote) base, quote, rate, valid_from, source
FROM pricing.rate WHERE valid_from <= $1 ORDER BY base, quote, valid_from DESC;

-- name: price_list_for_update
-- Locks a price list, so that one at a time writes its prices.
SELECT version FROM pricing.price_list WHERE code = $1 FOR UPDATE;

-- name: own_prices
-- What variants cost in the market of a list, in the list's currency (NULL: nothing is said there), and that market.
SELECT v.id AS variant_id, p.amount_minor, l.market FROM pricing.price_list AS l
CROSS JOIN unnest($2::uuid[]) AS v (id)
LEFT JOIN pricing.price AS p ON p.variant_id = v.id AND p.market = l.market AND p.currency = l.currency
WHERE l.code = $1 ORDER BY v.id;

-- name: known_price_list
-- A price list as it is, locked.
SELECT code, title, market, currency, rank, valid_from, valid_until, channel, customer_group, company_id, active
FROM pricing.price_list WHERE code = $1 FOR UPDATE;

-- name: farthest_price
-- Where a list departs most from the market's own price, in permille of that; where there is none, that is farthest.
SELECT p.amount_minor AS own_minor, a.amount_minor FROM pricing.price_list AS l
JOIN pricing.list_price AS t ON t.list = l.code
CROSS JOIN LATERAL unnest(t.amounts_minor) AS a (amount_minor)
LEFT JOIN pricing.price AS p ON p.variant_id = t.variant_id AND p.market = l.market AND p.currency = l.currency
WHERE l.code = $1
ORDER BY (p.amount_minor IS NULL) DESC, abs(a.amount_minor - p.amount_minor)::numeric / greatest(p.amount_minor, 1) DESC,
    a.amount_minor DESC
LIMIT 1;

-- name: put_list_prices
-- Writes what variants cost in a list since a moment, and returns the version of each that changed.
INSERT INTO pricing.list_price AS p (list, variant_id, from_quantities, amounts_minor, since, version)
SELECT $1, t.variant_id, t.from_quantities::integer[], t.amounts_minor::bigint[], $5, 1
FROM unnest($2::uuid[], $3::text[], $4::text[]) AS t (variant_id, from_quantities, amounts_minor)
ON CONFLICT (variant_id, list) DO UPDATE SET from_quantities = excluded.from_quantities,
    amounts_minor = excluded.amounts_minor, since = excluded.since, version = p.version + 1
WHERE (p.from_quantities, p.amounts_minor) IS DISTINCT FROM (excluded.from_quantities, excluded.amounts_minor)
RETURNING variant_id, version;

-- name: put_rates
-- Writes rates, and returns those that changed.
INSERT INTO pricing.rate AS r (base, quote, valid_from, rate, source, version)
SELECT t.*, 1 FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::numeric[], $5::text[])
    AS t (base, quote, valid_from, rate, source)
ON CONFLICT (base, quote, valid_from) DO UPDATE SET rate = excluded.rate, source = excluded.source, version = r.version + 1
WHERE (r.rate, r.source) IS DISTINCT FROM (excluded.rate, excluded.source)
RETURNING base, quote, valid_from, version;

-- name: put_customer_groups
-- Writes which groups a customer is of since a moment, keeps which they were, and returns the version if that is a change.
INSERT INTO pricing.customer AS c (customer_id, customer_groups, since, version) VALUES ($1, $2::text[], $3, 1)
ON CONFLICT (customer_id) DO UPDATE SET customer_groups = excluded.customer_groups, previous = c.customer_groups,
    since = excluded.since, version = c.version + 1
WHERE c.customer_groups IS DISTINCT FROM excluded.customer_groups
RETURNING version;

-- name: customer_groups
-- Which groups a customer is of.
SELECT customer_groups FROM pricing.customer WHERE customer_id = $1;
