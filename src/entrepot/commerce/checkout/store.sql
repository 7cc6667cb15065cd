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
    $27, $28, $29, $30, $31, $32);

-- name: ensure_room
-- Makes the partitions that orders placed between two moments need.
SELECT ordering.ensure_room($1, $2);

-- name: order_for_update
-- Locks an order.
SELECT id, state, customer_id, market, country, currency, placed_at, goods_minor, charges_minor, total_minor, version
FROM ordering.orders WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: order_lines
-- The lines of an order, with what has come back of each.
SELECT line, product_id, variant_id, sku, category_id, warehouse, quantity, returned, unit_minor, amount_minor
FROM ordering.line WHERE cell = $1 AND order_id = $2 ORDER BY line;

-- name: order_charges
-- The charges of an order.
SELECT charge, kind, amount_minor, note FROM ordering.charge WHERE cell = $1 AND order_id = $2 ORDER BY charge;

-- name: mark_cancelled
-- Sets the order's end state; the caller holds its lock.
UPDATE ordering.orders SET state = 'cancelled', cancelled_at = $3, cancelled_for = $4, version = $5 WHERE cell = $1 AND id = $2;

-- name: add_returned
-- Counts the pieces that came back on the order's lines; the caller holds the order's lock.
UPDATE ordering.line AS l SET returned = l.returned + b.pieces
FROM unnest($3::integer[], $4::integer[]) AS b (line, pieces)
WHERE l.cell = $1 AND l.order_id = $2 AND l.line = b.line;

-- name: put_return
-- Writes a return.
INSERT INTO ordering.returns (cell, id, order_id, customer_id, market, country, currency, returned_at, reason, restocked, total_minor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: put_return_lines
-- Writes the lines of a return.
INSERT INTO ordering.return_line (cell, return_id, line, product_id, variant_id, sku, category_id, warehouse, quantity,
                                  unit_minor, amount_minor)
SELECT $1, $2, l.* FROM unnest($3::integer[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::text[], $9::integer[],
                               $10::bigint[], $11::bigint[]) AS l;

-- name: put_return_charges
-- Writes the charges of a return.
INSERT INTO ordering.return_charge (cell, return_id, charge, kind, amount_minor, note)
SELECT $1, $2, c.* FROM unnest($3::integer[], $4::text[], $5::bigint[], $6::text[]) AS c;

-- name: put_transfers
-- Books transfers in the ledger; each names both accounts, and where there is one, the party.
INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at, debit_party, credit_party)
SELECT $1, t.id, $2, t.debit::ordering.account, t.credit::ordering.account, t.amount_minor, $3, $4, t.debit_party, t.credit_party
FROM unnest($5::uuid[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[])
    AS t (id, debit, credit, amount_minor, debit_party, credit_party);

-- name: order
-- An order as it stands.
SELECT id, state, customer_id, market, country, currency, placed_at, goods_minor, charges_minor, total_minor, version
FROM ordering.orders WHERE cell = $1 AND id = $2;

-- name: totals
-- What orders cost.
SELECT id, total_minor, currency FROM ordering.orders WHERE cell = $1 AND id = ANY ($2::uuid[]);

-- name: known_keys
-- The keys that have placed an order, with the position of the event that told of it.
SELECT i.key, i.fingerprint, i.subject_id, e.txid::text::bigint AS txid, e.seq
FROM log.idempotency AS i JOIN log.event AS e ON e.cell = i.cell AND e.id = i.event_id
WHERE i.cell = $1 AND i.key = ANY ($2::text[]);
