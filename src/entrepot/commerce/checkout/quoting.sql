-- name: terms_stamp
-- Changes whenever any of the terms does: each is written with its version counted up, and none is ever deleted. What a
-- transaction that writes can see may yet be undone: the stamp it gets is its own, so that nobody keeps what it read for long.
SELECT concat_ws('/', pg_current_xact_id_if_assigned(),
    (SELECT sum(m.version) FROM pricing.market AS m),
    (SELECT sum(l.version) FROM pricing.price_list AS l),
    (SELECT sum(r.version) FROM pricing.rate AS r),
    (SELECT sum(p.version) FROM promotion.promotion AS p),
    (SELECT sum(z.version) FROM shipping.zone AS z),
    (SELECT sum(h.version) FROM shipping.method AS h),
    (SELECT string_agg(w.country || w.kind, ',' ORDER BY w.code) FROM stock.warehouse AS w WHERE w.cell = $1));

-- name: markets
-- Every market.
SELECT code, currency, country, prices_include_tax, currencies FROM pricing.market;

-- name: price_lists
-- Every price list that may hold later, now, or did in the last month, and since when it is as it is.
SELECT code, title, market, currency, rank, valid_from, valid_until, channel, customer_group, company_id, active, since
FROM pricing.price_list WHERE active AND (valid_until IS NULL OR valid_until > now() - interval '35 days');

-- name: rates
-- Every rate of the last years.
SELECT base, quote, valid_from, rate FROM pricing.rate WHERE valid_from > now() - interval '3 years';

-- name: promotions
-- Every promotion that may hold later, now, or did in the last month, so that its coupons can say when they were over, and carts
-- what it took off. One that was switched off is one that ended then (its own end may have come first).
SELECT code, definition, least(ends_at, off_at) AS ends_at, since FROM promotion.promotion
WHERE (active OR off_at > now() - interval '35 days') AND (ends_at IS NULL OR ends_at > now() - interval '35 days') ORDER BY code;

-- name: past_promotions
-- What promotions that held in the last month were before they were changed.
SELECT code, definition, since, until FROM promotion.past
WHERE until > now() - interval '35 days' AND definition @> '{"active": true}';

-- name: past_lists
-- What price lists that held in the last month were before they were changed.
SELECT code, definition, since, until FROM pricing.past_list
WHERE until > now() - interval '35 days' AND definition @> '{"active": true}';

-- name: zones
-- Every zone.
SELECT definition FROM shipping.zone ORDER BY code;

-- name: methods
-- Every method that is offered.
SELECT definition FROM shipping.method WHERE active ORDER BY code;

-- name: past_methods
-- What methods that were offered in the last month were before they were changed.
SELECT code, definition, since, until FROM shipping.past_method
WHERE until > now() - interval '35 days' AND definition @> '{"active": true}';

-- name: warehouse_countries
-- The countries that goods are sent from.
SELECT DISTINCT country FROM stock.warehouse WHERE cell = $1 AND kind IN ('own', 'supplier') AND country <> '' ORDER BY country;

-- name: offers
-- What each SKU is offered as in a market, with its price there. One plan for carts of any size, by key (see ``carted.sql``):
-- planned for each cart anew, it read the whole of a small catalogue, and the planning cost as much again.
SELECT s.sku, s.variant_id, s.product_id, s.category_id, s.offered AND coalesce(v.state = 'active', true) AS offered, s.seller_id,
       s.tax_class, s.weight_grams, s.delivery, coalesce(v.commission_permille, 0) AS commission_permille, p.amount_minor
FROM unnest((SELECT $1::text[])) AS w (sku)
CROSS JOIN LATERAL (SELECT * FROM catalog.sku AS k WHERE k.sku = w.sku LIMIT 1) AS s
LEFT JOIN LATERAL (
    SELECT k.amount_minor FROM pricing.price AS k WHERE k.variant_id = s.variant_id AND k.market = $2 LIMIT 1
) AS p ON true
LEFT JOIN LATERAL (SELECT k.state, k.commission_permille FROM marketplace.seller AS k WHERE k.id = s.seller_id LIMIT 1) AS v ON true;

-- name: customer_groups
-- Which groups customers are of, since when, and which they were before.
SELECT c.customer_id, c.customer_groups, c.previous, c.since FROM pricing.customer AS c WHERE c.customer_id = ANY ($1::uuid[]);

-- name: list_prices
-- What variants cost in these lists. A query of its own: joined to the offers it made their plan six times as dear.
SELECT t.variant_id, t.list, t.from_quantities, t.amounts_minor
FROM unnest($1::uuid[]) AS w (variant_id)
JOIN pricing.list_price AS t ON t.variant_id = w.variant_id AND t.list = ANY ($2::text[]);

-- name: list_prices_then
-- What variants cost in these lists at moments gone by.
SELECT m.at, p.variant_id, p.list, p.from_quantities, p.amounts_minor
FROM unnest($3::timestamptz[]) AS m (at)
CROSS JOIN LATERAL (
    SELECT t.variant_id, t.list, t.from_quantities, t.amounts_minor FROM pricing.list_price AS t
    WHERE t.variant_id = ANY ($1::uuid[]) AND t.list = ANY ($2::text[]) AND (t.since IS NULL OR t.since <= m.at)
    UNION ALL
    SELECT t.variant_id, t.list, t.from_quantities, t.amounts_minor FROM pricing.past_list_price AS t
    WHERE t.variant_id = ANY ($1::uuid[]) AND t.list = ANY ($2::text[]) AND (t.since IS NULL OR t.since <= m.at) AND t.until > m.at
) AS p;

-- name: coupons
-- Coupons by their codes.
SELECT c.code, c.promotion, c.most, c.most_per_customer, c.starts_at, c.ends_at, c.customer_id, c.active
FROM promotion.coupon AS c WHERE c.code = ANY ($1::text[]);

-- name: used
-- How much of each allowance is used, up to how much it may be, and since when it is used up, or is not.
SELECT a.name, a.used, a.most, a.since FROM unnest($2::text[]) AS w (name) JOIN checkout.allowance AS a ON a.cell = $1 AND a.name = w.name;
