-- What sellers, and others, ask of the marketplace; reads only.

-- name: orders
-- A seller's orders before an id, newest first, with what its lines cost and our share of that.
SELECT s.order_id, s.state, s.placed_at, s.settled_at, o.currency, o.country,
       coalesce(sum(l.quantity), 0)::bigint AS pieces, coalesce(sum(l.amount_minor), 0)::bigint AS amount_minor,
       coalesce(sum(l.commission_minor), 0)::bigint AS commission_minor
FROM (
    SELECT * FROM marketplace.seller_order
    WHERE cell = $1 AND seller_id = $2 AND ($3::uuid IS NULL OR order_id < $3) ORDER BY order_id DESC LIMIT $4
) AS s
JOIN ordering.orders AS o ON o.cell = s.cell AND o.id = s.order_id
LEFT JOIN ordering.line AS l ON l.cell = s.cell AND l.order_id = s.order_id AND l.seller_id = s.seller_id
GROUP BY s.order_id, s.state, s.placed_at, s.settled_at, o.currency, o.country ORDER BY s.order_id DESC;

-- name: order
-- What a seller has to do with one order, and how it is to be reached who gets it.
SELECT s.order_id, s.state, s.placed_at, s.settled_at, o.currency, o.country, c.email, c.name, c.phone, c.address, c.subject, c.sealed
FROM marketplace.seller_order AS s
JOIN ordering.orders AS o ON o.cell = s.cell AND o.id = s.order_id
LEFT JOIN ordering.contact AS c ON c.cell = s.cell AND c.order_id = s.order_id
WHERE s.cell = $1 AND s.seller_id = $2 AND s.order_id = $3;

-- name: lines
-- The lines of an order that a seller sells or ships; what a piece of one brings that it only ships is its own cost.
SELECT l.line, l.sku, l.warehouse, l.quantity, l.shipped, l.cancelled, l.returned,
       CASE WHEN l.seller_id = $2 THEN l.amount_minor ELSE coalesce(u.quantity * u.cost_minor, 0) END AS amount_minor,
       CASE WHEN l.seller_id = $2 THEN l.commission_minor ELSE 0 END AS commission_minor
FROM ordering.line AS l
LEFT JOIN marketplace.warehouse AS w ON w.cell = l.cell AND w.code = l.warehouse
LEFT JOIN marketplace.supplied AS u ON u.cell = l.cell AND u.order_id = l.order_id AND u.line = l.line AND u.seller_id = $2
WHERE l.cell = $1 AND l.order_id = $3 AND (l.seller_id = $2 OR w.seller_id = $2) ORDER BY l.line;

-- name: shipments
-- The shipments of an order that a seller sends.
SELECT p.id, p.state, p.warehouse, p.carrier, p.tracking,
       array_agg(x.line ORDER BY x.line) AS lines, array_agg(x.quantity ORDER BY x.line) AS quantities
FROM fulfilment.shipment AS p
JOIN fulfilment.shipment_line AS x ON x.cell = p.cell AND x.shipment_id = p.id
LEFT JOIN marketplace.warehouse AS w ON w.cell = p.cell AND w.code = p.warehouse
WHERE p.cell = $1 AND p.order_id = $3 AND (p.seller_id = $2 OR w.seller_id = $2)
GROUP BY p.cell, p.id ORDER BY p.id;

-- name: warehouses
-- A seller's warehouses, with the last feed of each.
SELECT m.code, w.country, w.rank, w.parcel_minor, m.feed_sequence, m.fed_at
FROM marketplace.warehouse AS m JOIN stock.warehouse AS w ON w.cell = m.cell AND w.code = m.code
WHERE m.cell = $1 AND m.seller_id = $2 ORDER BY m.code;

-- name: payouts
-- A seller's payouts before an id, newest first.
SELECT id, seller_id, currency, amount_minor, state, asked_at, ended_at, reference, reason
FROM marketplace.payout WHERE cell = $1 AND seller_id = $2 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4;

-- name: opening
-- What a seller was owed at a moment, by the ledger.
SELECT (
    SELECT coalesce(sum(t.amount_minor), 0) FROM ordering.transfer AS t
    WHERE t.cell = $1 AND t.credit = 'seller' AND t.credit_party = $2::uuid::text AND t.currency = $3 AND t.booked_at < $4
)::bigint - (
    SELECT coalesce(sum(t.amount_minor), 0) FROM ordering.transfer AS t
    WHERE t.cell = $1 AND t.debit = 'seller' AND t.debit_party = $2::uuid::text AND t.currency = $3 AND t.booked_at < $4
)::bigint;

-- name: booked
-- What was booked for a seller from a moment until another, in the order it was booked.
SELECT t.id, t.about_id, t.booked_at, t.amount_minor, t.debit::text AS other FROM ordering.transfer AS t
WHERE t.cell = $1 AND t.credit = 'seller' AND t.credit_party = $2::uuid::text AND t.currency = $3
  AND t.booked_at >= $4 AND t.booked_at < $5
UNION ALL
SELECT t.id, t.about_id, t.booked_at, -t.amount_minor, t.credit::text FROM ordering.transfer AS t
WHERE t.cell = $1 AND t.debit = 'seller' AND t.debit_party = $2::uuid::text AND t.currency = $3
  AND t.booked_at >= $4 AND t.booked_at < $5
ORDER BY booked_at, id LIMIT $6;

-- name: stock
-- What lies in a seller's warehouses, the least first.
SELECT k.sku, l.warehouse, l.available, l.reserved
FROM (
    SELECT s.variant_id, s.warehouse, s.available, s.reserved
    FROM marketplace.warehouse AS m JOIN stock.level AS s ON s.cell = m.cell AND s.warehouse = m.code
    WHERE m.cell = $1 AND m.seller_id = $2 ORDER BY s.available, s.variant_id LIMIT $3
) AS l
JOIN catalog.sku AS k ON k.variant_id = l.variant_id
ORDER BY l.available, k.sku;
