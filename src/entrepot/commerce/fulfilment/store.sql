-- name: put_shipments
-- Writes shipments that are new, or sets the state of those that are there; each moment is that of its state.
INSERT INTO fulfilment.shipment AS s (cell, id, order_id, warehouse, seller_id, state, carrier, tracking, planned_at, shipped_at,
                                      version)
SELECT $1, n.id, n.order_id, n.warehouse, n.seller_id, n.state, n.carrier, n.tracking, $10::timestamptz,
       CASE WHEN n.state IN ('shipped', 'delivered', 'lost') THEN $10::timestamptz END, n.version
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::bigint[])
    AS n (id, order_id, warehouse, seller_id, state, carrier, tracking, version)
ON CONFLICT (cell, id) DO UPDATE SET
    state = excluded.state, carrier = excluded.carrier, tracking = excluded.tracking, version = excluded.version,
    picked_at = CASE WHEN excluded.state = 'picked' THEN coalesce(s.picked_at, $10) ELSE s.picked_at END,
    packed_at = CASE WHEN excluded.state = 'packed' THEN coalesce(s.packed_at, $10) ELSE s.packed_at END,
    shipped_at = CASE WHEN excluded.state = 'shipped' THEN $10 ELSE s.shipped_at END,
    delivered_at = CASE WHEN excluded.state = 'delivered' THEN $10 ELSE s.delivered_at END,
    lost_at = CASE WHEN excluded.state = 'lost' THEN $10 ELSE s.lost_at END,
    cancelled_at = CASE WHEN excluded.state = 'cancelled' THEN $10 ELSE s.cancelled_at END;

-- name: clear_lines
-- Takes out of shipments what is about to be written anew.
DELETE FROM fulfilment.shipment_line WHERE cell = $1 AND shipment_id = ANY ($2::uuid[]);

-- name: put_lines
-- Writes what is in shipments.
INSERT INTO fulfilment.shipment_line (cell, shipment_id, line, sku, variant_id, quantity)
SELECT $1, l.* FROM unnest($2::uuid[], $3::integer[], $4::text[], $5::uuid[], $6::integer[]) AS l;

-- name: shipments_of
-- The shipments of an order, in the order they were planned.
SELECT id, order_id, warehouse, state, version, seller_id, carrier, tracking
FROM fulfilment.shipment WHERE cell = $1 AND order_id = $2 ORDER BY id;

-- name: lines_of
-- What is in shipments.
SELECT shipment_id, line, sku, variant_id, quantity
FROM fulfilment.shipment_line WHERE cell = $1 AND shipment_id = ANY ($2::uuid[]) ORDER BY shipment_id, line;

-- name: order_of
-- The order that a shipment is of: it is locked first, so that nobody waits for each other.
SELECT order_id FROM fulfilment.shipment WHERE cell = $1 AND id = $2;

-- name: lock_orders
-- Locks orders in key order. A statement of its own: one that waits for a lock sees of other rows what was there before it waited.
SELECT o.id FROM ordering.orders AS o
WHERE o.cell = $1 AND o.id = ANY ($2::uuid[]) AND o.state IN ('placed', 'part_shipped') ORDER BY o.id FOR UPDATE;

-- name: to_plan
-- What is to leave of orders that nobody has planned for yet. Cancelled pieces are left out.
SELECT l.order_id, l.line, l.sku, l.variant_id, l.warehouse, l.seller_id, l.quantity - greatest(l.shipped, l.returned) - l.cancelled AS quantity,
       l.delivery, coalesce(w.kind, 'own') AS kind
FROM unnest($2::uuid[]) AS o (id)
JOIN ordering.line AS l ON l.cell = $1 AND l.order_id = o.id AND l.quantity > greatest(l.shipped, l.returned) + l.cancelled
LEFT JOIN stock.warehouse AS w ON w.cell = l.cell AND w.code = l.warehouse
WHERE NOT EXISTS (SELECT FROM fulfilment.shipment AS s WHERE s.cell = $1 AND s.order_id = o.id)
  AND NOT EXISTS (SELECT FROM fulfilment.waiting AS v WHERE v.cell = $1 AND v.order_id = o.id)
ORDER BY l.order_id, l.line;

-- name: put_waiting
-- Notes what waits for a receipt.
INSERT INTO fulfilment.waiting AS w (cell, variant_id, order_id, line, sku, seller_id, warehouse, quantity)
SELECT $1, n.* FROM unnest($2::uuid[], $3::uuid[], $4::integer[], $5::text[], $6::uuid[], $7::text[], $8::integer[])
    AS n (variant_id, order_id, line, sku, seller_id, warehouse, quantity)
WHERE n.quantity > 0
ON CONFLICT (cell, variant_id, order_id, line) DO UPDATE SET quantity = excluded.quantity;

-- name: end_waiting
-- Forgets what waits no longer.
DELETE FROM fulfilment.waiting AS w
USING unnest($2::uuid[], $3::uuid[], $4::integer[]) AS n (variant_id, order_id, line)
WHERE w.cell = $1 AND w.variant_id = n.variant_id AND w.order_id = n.order_id AND w.line = n.line;

-- name: waiting_orders
-- Locks the orders that wait for these variants, in key order: they are changed under their own locks.
SELECT o.id FROM ordering.orders AS o
WHERE o.cell = $1 AND o.id IN (SELECT w.order_id FROM fulfilment.waiting AS w WHERE w.cell = $1 AND w.variant_id = ANY ($2::uuid[]))
ORDER BY o.id FOR UPDATE;

-- name: waiting_for
-- What waits for these variants, the oldest order first.
SELECT variant_id, order_id, line, sku, seller_id, warehouse, quantity
FROM fulfilment.waiting WHERE cell = $1 AND variant_id = ANY ($2::uuid[]) ORDER BY variant_id, order_id, line;

-- name: waiting_of
-- What waits of an order.
SELECT variant_id, order_id, line, sku, seller_id, warehouse, quantity
FROM fulfilment.waiting WHERE cell = $1 AND order_id = $2 ORDER BY line;

-- name: to_send
-- How many pieces of these variants are sold and planned in a warehouse, and have not left.
SELECT l.variant_id, sum(l.quantity)::integer AS quantity
FROM fulfilment.shipment AS s JOIN fulfilment.shipment_line AS l ON l.cell = s.cell AND l.shipment_id = s.id
WHERE s.cell = $1 AND s.warehouse = $2 AND s.state IN ('planned', 'picked', 'packed') AND l.variant_id = ANY ($3::uuid[])
GROUP BY l.variant_id;

-- name: put_parcel
-- Writes a parcel that is asked for, or how it now stands; its shipment keeps when it was first seen under way.
WITH seen AS (
    UPDATE fulfilment.shipment SET under_way_at = $8 WHERE cell = $1 AND id = $2 AND $6 = 'under_way'
)
INSERT INTO fulfilment.parcel AS p (cell, shipment_id, order_id, reference, carrier, state, tracking, asked_at, looked_at, version)
VALUES ($1, $2, $3, $4, $5, $6::text, $7, $8::timestamptz, $8, $9)
ON CONFLICT (cell, shipment_id) DO UPDATE SET
    reference = excluded.reference, carrier = excluded.carrier, state = excluded.state, tracking = excluded.tracking,
    version = excluded.version,
    asked_at = CASE WHEN excluded.state = 'asked' THEN $8 ELSE p.asked_at END;

-- name: parcel
-- The parcel of a shipment. Its order is locked.
SELECT shipment_id, order_id, reference, carrier, state, version, tracking
FROM fulfilment.parcel WHERE cell = $1 AND shipment_id = $2;

-- name: parcel_by_number
-- The parcel that a carrier calls by this number.
SELECT shipment_id, order_id, reference, carrier, state, version, tracking
FROM fulfilment.parcel WHERE cell = $1 AND carrier = $2 AND tracking = $3 AND tracking <> '' LIMIT 1;

-- name: take_in
-- Takes a carrier's webhook in, if it is new, and says whether its work is done.
WITH new AS (
    INSERT INTO fulfilment.inbox (cell, carrier, event_id, kind, received_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (cell, carrier, event_id) DO NOTHING
)
SELECT coalesce((SELECT done_at IS NOT NULL FROM fulfilment.inbox WHERE cell = $1 AND carrier = $2 AND event_id = $3), false);

-- name: mark_done
-- Notes that the work of a carrier's webhook is done.
UPDATE fulfilment.inbox SET done_at = $4 WHERE cell = $1 AND carrier = $2 AND event_id = $3;

-- name: prune_inbox
-- Forgets webhooks that were taken in before a moment, the oldest first: their signatures are long out of date.
DELETE FROM fulfilment.inbox WHERE (cell, carrier, event_id) IN (
    SELECT cell, carrier, event_id FROM fulfilment.inbox WHERE cell = $1 AND received_at < $2 ORDER BY received_at LIMIT $3
) RETURNING event_id;

-- name: parcels_to_look_at
-- Notes that parcels are looked at, those first that were not for longest, and returns them; one just asked for waits ($3).
WITH due AS (
    SELECT d.shipment_id FROM fulfilment.parcel AS d
    WHERE d.cell = $1 AND d.state IN ('asked', 'booked', 'under_way') AND (d.state <> 'asked' OR d.asked_at <= $3)
    ORDER BY d.looked_at LIMIT $4 FOR UPDATE SKIP LOCKED
)
UPDATE fulfilment.parcel AS p SET looked_at = $2 FROM due AS d WHERE p.cell = $1 AND p.shipment_id = d.shipment_id
RETURNING p.shipment_id, p.order_id, p.reference, p.carrier, p.state, p.version, p.tracking;
