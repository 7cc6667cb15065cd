-- name: put_warehouse
-- Makes a warehouse of the cell, or moves it in the order in which warehouses are preferred.
INSERT INTO stock.warehouse (cell, code, rank) VALUES ($1, $2, $3)
ON CONFLICT (cell, code) DO UPDATE SET rank = excluded.rank;

-- name: describe_warehouse
-- Says of which kind a warehouse is, where it lies, and what a parcel from there costs us.
UPDATE stock.warehouse SET kind = $3, country = $4, parcel_minor = $5 WHERE cell = $1 AND code = $2;

-- name: warehouses
-- The warehouses of a cell, the preferred one first.
SELECT code FROM stock.warehouse WHERE cell = $1 ORDER BY rank, code;

-- name: warehouse_kinds
-- The kind of every warehouse of the cell.
SELECT code, kind FROM stock.warehouse WHERE cell = $1;

-- name: claim_levels
-- Makes sure that the levels have a row to lock.
INSERT INTO stock.level (cell, variant_id, warehouse, available, version)
SELECT $1::integer, l.variant_id, l.warehouse, 0, 0 FROM unnest($2::uuid[], $3::text[]) AS l (variant_id, warehouse)
ORDER BY l.variant_id, l.warehouse
ON CONFLICT (cell, variant_id, warehouse) DO NOTHING;

-- name: levels_for_update
-- Locks levels in key order.
SELECT s.variant_id, s.warehouse, s.available, s.version
FROM unnest($2::uuid[], $3::text[]) AS l (variant_id, warehouse)
JOIN stock.level AS s ON s.cell = $1::integer AND s.variant_id = l.variant_id AND s.warehouse = l.warehouse
ORDER BY s.variant_id, s.warehouse
FOR UPDATE OF s;

-- name: levels
-- The levels of variants in every warehouse of the cell.
SELECT variant_id, warehouse, available, version FROM stock.level
WHERE cell = $1::integer AND variant_id = ANY ($2::uuid[]) ORDER BY variant_id, warehouse;

-- name: put_levels
-- Writes levels as they now are; the caller holds their locks.
UPDATE stock.level AS s
SET available = l.available, version = l.version
FROM unnest($2::uuid[], $3::text[], $4::integer[], $5::bigint[]) AS l (variant_id, warehouse, available, version)
WHERE s.cell = $1::integer AND s.variant_id = l.variant_id AND s.warehouse = l.warehouse;

-- name: shelves
-- What every warehouse of the cell has of these variants, with what allocation asks of the warehouse.
SELECT l.variant_id, l.warehouse, l.available, w.kind, w.country, w.rank, w.parcel_minor
FROM stock.level AS l JOIN stock.warehouse AS w ON w.cell = l.cell AND w.code = l.warehouse
WHERE l.cell = $1::integer AND l.variant_id = ANY ($2::uuid[]) AND l.available > 0;
