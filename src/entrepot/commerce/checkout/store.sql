-- name: offers
-- What each SKU is offered as in a market, and the warehouse that has enough of it, the preferred one first.
SELECT w.sku, w.market, s.variant_id, s.product_id, s.category_id, s.offered, p.currency, p.amount_minor, l.warehouse
FROM unnest($2::text[], $3::text[], $4::integer[]) AS w (sku, market, quantity)
JOIN catalog.sku AS s ON s.sku = w.sku
LEFT JOIN pricing.price AS p ON p.variant_id = s.variant_id AND p.market = w.market
LEFT JOIN LATERAL (
    SELECT v.warehouse FROM stock.level AS v JOIN stock.warehouse AS h ON h.cell = v.cell AND h.code = v.warehouse
    WHERE v.cell = $1::integer AND v.variant_id = s.variant_id
    ORDER BY v.available >= w.quantity DESC, h.rank, v.warehouse LIMIT 1
) AS l ON true;

-- name: place_orders
-- The hot path: places many orders by one call (see the function).
SELECT place, outcome, order_id, line, available, txid, seq FROM checkout.place_orders(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26,
    $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37);

-- name: ensure_room
-- Makes the partitions that orders placed between two moments need.
SELECT ordering.ensure_room($1, $2);

-- name: totals
-- What orders cost.
SELECT id, total_minor, currency FROM ordering.orders WHERE cell = $1 AND id = ANY ($2::uuid[]);

-- name: known_keys
-- The keys that have placed an order, with the position of the event that told of it.
SELECT i.key, i.fingerprint, i.subject_id, e.txid::text::bigint AS txid, e.seq
FROM log.idempotency AS i JOIN log.event AS e ON e.cell = i.cell AND e.id = i.event_id
WHERE i.cell = $1 AND i.key = ANY ($2::text[]);
