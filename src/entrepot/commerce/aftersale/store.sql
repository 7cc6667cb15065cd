-- name: put_case
-- Writes a return under way as it now is; each moment is that of its state.
INSERT INTO aftersale.return_case AS c (cell, id, order_id, customer_id, state, reason, note, requested_at, received_at, inspected_at,
                                        ended_at, refunded_minor, exchange_order_id, version)
VALUES ($1, $2, $3, $4, $5::text, $6, $7, $8::timestamptz, CASE WHEN $5 = 'inspected' THEN $8 END,
        CASE WHEN $5 = 'inspected' THEN $8 END, CASE WHEN $5 IN ('refunded', 'exchanged', 'rejected') THEN $8 END, $9, $10, $11)
ON CONFLICT (cell, id) DO UPDATE SET
    state = excluded.state, refunded_minor = excluded.refunded_minor, exchange_order_id = excluded.exchange_order_id,
    version = excluded.version,
    received_at = CASE WHEN excluded.state = 'received' THEN $8 ELSE c.received_at END,
    inspected_at = CASE WHEN excluded.state = 'inspected' THEN $8 ELSE c.inspected_at END,
    ended_at = CASE WHEN excluded.state IN ('refunded', 'exchanged', 'rejected') THEN $8 ELSE c.ended_at END;

-- name: put_case_lines
-- Writes the lines of a return under way as they now are.
INSERT INTO aftersale.return_case_line (cell, case_id, line, requested, received, restocked, written_off, refused)
SELECT $1, $2, l.* FROM unnest($3::integer[], $4::integer[], $5::integer[], $6::integer[], $7::integer[], $8::integer[]) AS l
ON CONFLICT (cell, case_id, line) DO UPDATE SET
    received = excluded.received, restocked = excluded.restocked, written_off = excluded.written_off, refused = excluded.refused;

-- name: order_of
-- The order that a return is of: it is locked first, so that nobody waits for each other.
SELECT order_id FROM aftersale.return_case WHERE cell = $1 AND id = $2;

-- name: cases_of
-- The returns of an order, in the order they were asked for.
SELECT id, order_id, customer_id, state, reason, note, version, refunded_minor, exchange_order_id
FROM aftersale.return_case WHERE cell = $1 AND order_id = $2 ORDER BY id;

-- name: case_lines_of
-- The lines of an order's returns, with what each is.
SELECT r.case_id, r.line, l.sku, r.requested, r.received, r.restocked, r.written_off, r.refused
FROM aftersale.return_case AS c
JOIN aftersale.return_case_line AS r ON r.cell = c.cell AND r.case_id = c.id
JOIN ordering.line AS l ON l.cell = c.cell AND l.order_id = c.order_id AND l.line = r.line
WHERE c.cell = $1 AND c.order_id = $2 ORDER BY r.case_id, r.line;

-- name: release_claims
-- Gives back what a placed checkout used of coupons, as its order is off: allowances in key order, as everybody locks them.
WITH claims AS (
    SELECT u.name, u.amount FROM checkout.checkout AS c, unnest(c.claim_names, c.claim_amounts) AS u (name, amount)
    WHERE c.cell = $1 AND c.id = $2 AND (u.name LIKE 'coupon/%' OR u.name LIKE 'promotion/%')
), locked AS (
    SELECT a.name, k.amount FROM checkout.allowance AS a JOIN claims AS k ON k.name = a.name
    WHERE a.cell = $1 ORDER BY a.name FOR UPDATE OF a
)
UPDATE checkout.allowance AS a SET used = greatest(a.used - l.amount, 0) FROM locked AS l WHERE a.cell = $1 AND a.name = l.name;

-- name: exchanged_for
-- The order for whose pieces another was sent in exchange.
SELECT order_id FROM aftersale.return_case WHERE cell = $1 AND exchange_order_id = $2;

-- name: contact_of
-- Whom an order goes to, and where: what is sent instead goes there too.
SELECT email, name, phone, address::text AS address, subject, sealed FROM ordering.contact WHERE cell = $1 AND order_id = $2;

-- name: subject_of
-- Under whose key it lies to whom an order goes.
SELECT subject FROM ordering.contact WHERE cell = $1 AND order_id = $2;

-- name: vat_id_of
-- The VAT id of the company that an order is of: what is sent instead is taxed as its orders are.
SELECT vat_id FROM business.company WHERE cell = $1 AND id = $2;

-- name: grams_of
-- What the pieces in a shipment weigh; what says no weight weighs nothing.
SELECT coalesce(sum(l.quantity::bigint * s.weight_grams), 0)::bigint
FROM fulfilment.shipment_line AS l JOIN catalog.sku AS s ON s.sku = l.sku WHERE l.cell = $1 AND l.shipment_id = $2;

-- name: cases_claimed
-- The returns for which these orders were placed, by what they claimed; those that are settled by it already are left out.
SELECT c.id, k.case_id FROM checkout.checkout AS c
CROSS JOIN LATERAL (
    SELECT substr(n.name, 10)::uuid AS case_id FROM unnest(c.claim_names) AS n (name) WHERE n.name LIKE 'exchange/%'
) AS k
JOIN aftersale.return_case AS r ON r.cell = c.cell AND r.id = k.case_id AND r.state = 'inspected'
WHERE c.cell = $1 AND c.id = ANY ($2::uuid[]) AND c.state = 'placed' ORDER BY k.case_id;

-- name: use_claim
-- Uses an allowance up to its limit, and returns nothing where that is used up.
INSERT INTO checkout.allowance AS a (cell, name, used, most) VALUES ($1, $2, $3, $4)
ON CONFLICT (cell, name) DO UPDATE SET used = a.used + $3 WHERE a.used + $3 <= a.most
RETURNING name;
