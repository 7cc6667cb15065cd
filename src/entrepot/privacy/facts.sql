-- name: facts
-- What analytics know of a customer: each line of each order, as it was placed, cancelled or returned. (ClickHouse.)
SELECT order_id, fact, kind, at, market, country, currency, sku, quantity, amount_minor
FROM {table} FINAL WHERE customer_id IN {subjects:Array(UUID)} ORDER BY id;
