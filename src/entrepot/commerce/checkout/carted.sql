-- name: carted
-- What a market sells in, and what each of these SKUs is offered as there, with what is left of it in all warehouses.
SELECT
    m.currency, m.currencies, s.sku, s.product_id, s.offered, p.amount_minor,
    (
        SELECT coalesce(sum(l.available), 0) FROM stock.level AS l
        WHERE l.cell = $1::integer AND l.variant_id = s.variant_id
    ) AS available
FROM pricing.market AS m
LEFT JOIN catalog.sku AS s ON s.sku = ANY ($3::text[])
LEFT JOIN pricing.price AS p ON p.variant_id = s.variant_id AND p.market = m.code
WHERE m.code = $2;
