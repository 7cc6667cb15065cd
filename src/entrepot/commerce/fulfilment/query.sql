-- What others ask of shipments; reads only.

-- name: shipments_of
-- The shipments of an order, in the order they were planned.
SELECT id, order_id, warehouse, state, seller_id, carrier, tracking, planned_at, shipped_at, under_way_at, delivered_at
FROM fulfilment.shipment WHERE cell = $1 AND order_id = $2 ORDER BY id;

-- name: shipment
-- One shipment.
SELECT id, order_id, warehouse, state, seller_id, carrier, tracking, planned_at, shipped_at, under_way_at, delivered_at
FROM fulfilment.shipment WHERE cell = $1 AND id = $2;

-- name: shipments
-- Shipments before an id, newest first; those of one state, warehouse or seller where they are named.
SELECT id, order_id, warehouse, state, seller_id, carrier, tracking, planned_at, shipped_at, under_way_at, delivered_at
FROM fulfilment.shipment
WHERE cell = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3 = '' OR state = $3) AND ($4 = '' OR warehouse = $4)
  AND ($5::uuid IS NULL OR seller_id = $5)
ORDER BY id DESC LIMIT $6;

-- name: lines_of
-- What is in shipments.
SELECT shipment_id, line, sku, variant_id, quantity
FROM fulfilment.shipment_line WHERE cell = $1 AND shipment_id = ANY ($2::uuid[]) ORDER BY shipment_id, line;
