-- name: order_for_update
-- Locks an order.
SELECT id, state, customer_id, market, country, currency, placed_at, goods_minor, charges_minor, total_minor, version, channel,
       paid_by, company_id, tax_minor
FROM ordering.orders WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: order
-- An order as it stands.
SELECT id, state, customer_id, market, country, currency, placed_at, goods_minor, charges_minor, total_minor, version, channel,
       paid_by, company_id, tax_minor
FROM ordering.orders WHERE cell = $1 AND id = $2;

-- name: order_lines
-- The lines of an order, with what has become of the pieces of each.
SELECT line, product_id, variant_id, sku, category_id, warehouse, quantity, unit_minor, amount_minor, seller_id, delivery,
       list_minor, discount_minor, tax_minor, commission_minor, returned, shipped, cancelled
FROM ordering.line WHERE cell = $1 AND order_id = $2 ORDER BY line;

-- name: order_charges
-- The charges of an order.
SELECT charge, kind, amount_minor, note FROM ordering.charge WHERE cell = $1 AND order_id = $2 ORDER BY charge;

-- name: order_taxes
-- The tax lines of an order.
SELECT jurisdiction, name, rate_ppm, base_minor, tax_minor, included, line
FROM ordering.tax_line WHERE cell = $1 AND order_id = $2 ORDER BY place;

-- name: move_order
-- Sets an order's state and version; the caller holds its lock. A cancelled one says when and why.
UPDATE ordering.orders SET state = $3, version = $4, cancelled_at = $5, cancelled_for = $6 WHERE cell = $1 AND id = $2;

-- name: count_pieces
-- Sets what has become of the pieces of an order's lines; the caller holds the order's lock.
UPDATE ordering.line AS l SET shipped = b.shipped, cancelled = b.cancelled, returned = b.returned
FROM unnest($3::integer[], $4::integer[], $5::integer[], $6::integer[]) AS b (line, shipped, cancelled, returned)
WHERE l.cell = $1 AND l.order_id = $2 AND l.line = b.line;

-- name: add_returned
-- Counts the pieces that came back on the order's lines; the caller holds the order's lock.
UPDATE ordering.line AS l SET returned = l.returned + b.pieces
FROM unnest($3::integer[], $4::integer[]) AS b (line, pieces)
WHERE l.cell = $1 AND l.order_id = $2 AND l.line = b.line;

-- name: given_back
-- What has been given back of an order in all, by kind of charge (the goods under '').
SELECT kind, sum(amount_minor)::bigint AS amount_minor
FROM (
    SELECT c.kind, c.amount_minor FROM ordering.returns AS r
    JOIN ordering.return_charge AS c ON c.cell = r.cell AND c.return_id = r.id WHERE r.cell = $1 AND r.order_id = $2
    UNION ALL
    SELECT '', l.amount_minor FROM ordering.returns AS r
    JOIN ordering.return_line AS l ON l.cell = r.cell AND l.return_id = r.id WHERE r.cell = $1 AND r.order_id = $2
) AS b
GROUP BY kind;

-- name: put_return
-- Writes what was given back: pieces that returned, or were cancelled before they left.
INSERT INTO ordering.returns (cell, id, order_id, customer_id, market, country, currency, returned_at, reason, restocked, total_minor,
                              kind)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: put_return_lines
-- Writes the lines of what was given back.
INSERT INTO ordering.return_line (cell, return_id, line, product_id, variant_id, sku, category_id, warehouse, quantity,
                                  unit_minor, amount_minor)
SELECT $1, $2, l.* FROM unnest($3::integer[], $4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::text[], $9::integer[],
                               $10::bigint[], $11::bigint[]) AS l;

-- name: put_return_charges
-- Writes the charges that were given back.
INSERT INTO ordering.return_charge (cell, return_id, charge, kind, amount_minor, note)
SELECT $1, $2, c.* FROM unnest($3::integer[], $4::text[], $5::bigint[], $6::text[]) AS c;

-- name: put_transfers
-- Books transfers in the ledger; each names both accounts, and where there is one, the party.
INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at, debit_party, credit_party)
SELECT $1, t.id, $2, t.debit::ordering.account, t.credit::ordering.account, t.amount_minor, $3, $4, t.debit_party, t.credit_party
FROM unnest($5::uuid[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[])
    AS t (id, debit, credit, amount_minor, debit_party, credit_party);
