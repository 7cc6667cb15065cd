-- What others ask of what follows an order; reads only.

-- name: timeline
-- All that happened to an order, oldest first: from the tables that each area keeps. With a seller ($3), what concerns that seller.
SELECT t.at, t.about, t.what, t.id, t.amount_minor, t.note
FROM (
    SELECT o.placed_at AS at, 1 AS place, 'order' AS about, 'placed' AS what, o.id,
           CASE WHEN $3::uuid IS NULL THEN o.total_minor END AS amount_minor, '' AS note
    FROM ordering.orders AS o WHERE o.cell = $1 AND o.id = $2
    UNION ALL
    SELECT o.cancelled_at, 9, 'order', 'cancelled', o.id, NULL, o.cancelled_for
    FROM ordering.orders AS o WHERE o.cell = $1 AND o.id = $2 AND o.cancelled_at IS NOT NULL
    UNION ALL
    SELECT o.placed_at, 2, 'payment', 'authorized', p.id, p.authorized_minor, p.label
    FROM ordering.orders AS o JOIN payment.payment AS p ON p.cell = o.cell AND p.id = o.id
    WHERE o.cell = $1 AND o.id = $2 AND $3::uuid IS NULL
    UNION ALL
    SELECT coalesce(p.ended_at, p.asked_at), 5, 'payment',
           CASE p.state WHEN 'done' THEN CASE p.kind WHEN 'capture' THEN 'captured' WHEN 'void' THEN 'voided' ELSE 'refunded' END
                        ELSE p.kind || '_' || p.state END, p.id, p.amount_minor, p.reason
    FROM payment.operation AS p WHERE p.cell = $1 AND p.payment_id = $2 AND $3::uuid IS NULL
    UNION ALL
    SELECT d.opened_at, 6, 'dispute', 'opened', d.id, d.amount_minor, d.reason
    FROM payment.dispute AS d WHERE d.cell = $1 AND d.payment_id = $2 AND $3::uuid IS NULL
    UNION ALL
    SELECT d.decided_at, 7, 'dispute', d.state, d.id, d.amount_minor, d.reason
    FROM payment.dispute AS d WHERE d.cell = $1 AND d.payment_id = $2 AND d.decided_at IS NOT NULL AND $3::uuid IS NULL
    UNION ALL
    SELECT m.at, 3, 'shipment', m.what, s.id, NULL, m.note
    FROM fulfilment.shipment AS s
    CROSS JOIN LATERAL (VALUES
        (s.planned_at, 'planned', s.warehouse), (s.picked_at, 'picked', s.warehouse), (s.packed_at, 'packed', s.warehouse),
        (s.shipped_at, 'shipped', trim(s.carrier || ' ' || s.tracking)), (s.under_way_at, 'under_way', ''),
        (s.delivered_at, 'delivered', ''), (s.lost_at, 'lost', trim(s.carrier || ' ' || s.tracking)), (s.cancelled_at, 'cancelled', s.warehouse)
    ) AS m (at, what, note)
    WHERE s.cell = $1 AND s.order_id = $2 AND m.at IS NOT NULL AND ($3::uuid IS NULL OR s.seller_id = $3)
    UNION ALL
    SELECT m.at, 4, 'return', m.what, c.id, m.amount_minor, c.reason
    FROM aftersale.return_case AS c
    CROSS JOIN LATERAL (VALUES
        (c.requested_at, 'requested', NULL::bigint), (c.received_at, 'received', NULL), (c.inspected_at, 'inspected', NULL),
        (c.ended_at, c.state, CASE WHEN c.state = 'refunded' THEN c.refunded_minor END)
    ) AS m (at, what, amount_minor)
    WHERE c.cell = $1 AND c.order_id = $2 AND m.at IS NOT NULL AND ($3::uuid IS NULL OR EXISTS (
        SELECT FROM aftersale.return_case_line AS r
        JOIN ordering.line AS l ON l.cell = c.cell AND l.order_id = c.order_id AND l.line = r.line
        WHERE r.cell = c.cell AND r.case_id = c.id AND l.seller_id = $3))
    UNION ALL
    SELECT r.returned_at, 4, 'order', CASE WHEN r.kind = 'cancelled' THEN 'lines_cancelled' ELSE 'given_back' END, r.id, r.total_minor,
           r.reason
    FROM ordering.returns AS r
    WHERE r.cell = $1 AND r.order_id = $2 AND $3::uuid IS NULL
      AND NOT EXISTS (SELECT FROM aftersale.return_case AS c WHERE c.cell = r.cell AND c.id = r.id)
) AS t
ORDER BY t.at, t.place, t.id;

-- name: returns
-- Returns under way or ended before an id, newest first; those of one state, or of one order, where they are named.
SELECT id, order_id, customer_id, state, reason, note, requested_at, received_at, inspected_at, ended_at, refunded_minor,
       exchange_order_id
FROM aftersale.return_case
WHERE cell = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3 = '' OR state = $3) AND ($4::uuid IS NULL OR order_id = $4)
ORDER BY id DESC LIMIT $5;

-- name: return
-- One return.
SELECT id, order_id, customer_id, state, reason, note, requested_at, received_at, inspected_at, ended_at, refunded_minor,
       exchange_order_id
FROM aftersale.return_case WHERE cell = $1 AND id = $2;

-- name: lines_of
-- The lines of returns, with what each is.
SELECT r.case_id, r.line, l.sku, r.requested, r.received, r.restocked, r.written_off, r.refused
FROM aftersale.return_case AS c
JOIN aftersale.return_case_line AS r ON r.cell = c.cell AND r.case_id = c.id
JOIN ordering.line AS l ON l.cell = c.cell AND l.order_id = c.order_id AND l.line = r.line
WHERE c.cell = $1 AND c.id = ANY ($2::uuid[]) ORDER BY r.case_id, r.line;

-- name: carriers_of
-- The carrier of the method that an order goes by. Where no charge says which that is, since its postage was free: those of all
-- methods of its market.
WITH said AS (
    SELECT m.definition->>'carrier' AS carrier FROM ordering.charge AS c JOIN shipping.method AS m ON m.code = c.note
    WHERE c.cell = $1 AND c.order_id = $2 AND c.kind = 'postage'
)
SELECT carrier FROM said
UNION
SELECT m.definition->>'carrier' FROM ordering.orders AS o JOIN shipping.method AS m
    ON m.active AND (m.definition->'markets' = '[]' OR m.definition->'markets' @> to_jsonb(o.market))
WHERE o.cell = $1 AND o.id = $2 AND NOT EXISTS (SELECT FROM said);
