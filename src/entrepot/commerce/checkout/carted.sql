-- name: carted
-- What a market sells in, and what each of these SKUs is offered as there, with what is left of it in all warehouses.
-- One plan for carts of any size, kept by the connection: planning anew each time costs three times the query itself. The plan
-- is the same because the array is hidden from the planner (the inner SELECT) and each row is looked up by key (LIMIT 1).
SELECT m.currency, m.currencies, s.sku, s.product_id, s.offered, p.amount_minor, l.available
FROM pricing.market AS m
LEFT JOIN unnest((SELECT $3::text[])) AS w (sku) ON true
LEFT JOIN LATERAL (
    SELECT k.sku, k.variant_id, k.product_id, k.offered FROM catalog.sku AS k WHERE k.sku = w.sku LIMIT 1
) AS s ON true
LEFT JOIN LATERAL (
    SELECT k.amount_minor FROM pricing.price AS k WHERE k.variant_id = s.variant_id AND k.market = m.code LIMIT 1
) AS p ON true
LEFT JOIN LATERAL (
    SELECT coalesce(sum(k.available), 0) AS available FROM stock.level AS k
    WHERE k.cell = $1::integer AND k.variant_id = s.variant_id
) AS l ON true
WHERE m.code = $2;
