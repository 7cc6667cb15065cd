-- What others ask of orders; reads only.

-- name: orders
-- Orders before an id, newest first, with how many articles and pieces each holds.
SELECT o.id, o.state, o.market, o.country, o.currency, o.placed_at, o.total_minor, l.lines, l.pieces
FROM (
    SELECT * FROM ordering.orders WHERE cell = $1 AND ($2::uuid IS NULL OR id < $2) ORDER BY id DESC LIMIT $3
) AS o
CROSS JOIN LATERAL (
    SELECT count(*) AS lines, coalesce(sum(quantity), 0)::bigint AS pieces
    FROM ordering.line WHERE cell = $1 AND order_id = o.id
) AS l
ORDER BY o.id DESC;

-- name: order
-- An order as it stands.
SELECT id, state, customer_id, market, country, currency, placed_at, goods_minor, charges_minor, total_minor, cancelled_at,
       cancelled_for, channel, paid_by, tax_minor
FROM ordering.orders WHERE cell = $1 AND id = $2;

-- name: lines
-- The lines of an order, each with the first title its product has.
SELECT l.line, l.product_id, l.sku, l.warehouse, l.quantity, l.returned, l.unit_minor, l.amount_minor, t.title,
       l.shipped, l.cancelled
FROM ordering.line AS l
LEFT JOIN LATERAL (
    SELECT title FROM catalog.product_text WHERE product_id = l.product_id ORDER BY locale <> 'en', locale LIMIT 1
) AS t ON true
WHERE l.cell = $1 AND l.order_id = $2 ORDER BY l.line;

-- name: charges
-- What is paid beside an order's articles.
SELECT kind, amount_minor, note FROM ordering.charge WHERE cell = $1 AND order_id = $2 ORDER BY charge;

-- name: returns
-- What came back of an order.
SELECT r.id, r.returned_at, r.reason, r.restocked, r.total_minor,
       (SELECT coalesce(sum(quantity), 0)::bigint FROM ordering.return_line WHERE cell = $1 AND return_id = r.id) AS pieces
FROM ordering.returns AS r WHERE r.cell = $1 AND r.order_id = $2 AND r.kind = 'returned' ORDER BY r.returned_at;

-- name: orders_of_customer
-- A customer's orders before an id, newest first.
SELECT o.id, o.state, o.market, o.country, o.currency, o.placed_at, o.total_minor, l.lines, l.pieces
FROM (
    SELECT * FROM ordering.orders WHERE cell = $1 AND customer_id = $2 AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4
) AS o
CROSS JOIN LATERAL (
    SELECT count(*) AS lines, coalesce(sum(quantity), 0)::bigint AS pieces
    FROM ordering.line WHERE cell = $1 AND order_id = o.id
) AS l
ORDER BY o.id DESC;
