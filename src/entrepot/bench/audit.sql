-- name: fill
-- Notes entries in the past, as many as are wanted, in transactions' order.
INSERT INTO audit.entry (cell, id, at, class, actor, action, object, subject, network, agent, why, status, problem)
SELECT 1, uuidv7(), 0, 'read', 'person/' || uuidv7(), 'GET /v1/orders/{order_id}', uuidv7()::text, uuidv7(), '203.0.113.0/24',
       'browser', 'ticket/4711', 200, ''
FROM generate_series(1, $1::integer);
