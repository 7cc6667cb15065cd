-- name: put_warehouse
-- Makes a warehouse of the cell, or changes what it is; what is NULL stays as it is.
INSERT INTO stock.warehouse AS w (cell, code, rank, kind, country, expected_on, parcel_minor, lead_days)
VALUES ($1, $2, $3, coalesce($4::text, 'own'), coalesce($5::text, ''), $6::date, coalesce($7::bigint, 0), coalesce($8::integer, 0))
ON CONFLICT (cell, code) DO UPDATE SET
    rank = excluded.rank, kind = coalesce($4, w.kind), country = coalesce($5, w.country),
    expected_on = coalesce($6, w.expected_on), parcel_minor = coalesce($7, w.parcel_minor),
    lead_days = coalesce($8, w.lead_days);

-- name: put_routing
-- Writes how a market's orders are allocated; nothing is returned when it was so already.
INSERT INTO stock.routing AS r (cell, market, allocation, supplying, version) VALUES ($1, $2, $3, $4, 1)
ON CONFLICT (cell, market) DO UPDATE SET allocation = excluded.allocation, supplying = excluded.supplying, version = r.version + 1
WHERE (r.allocation, r.supplying) IS DISTINCT FROM (excluded.allocation, excluded.supplying)
RETURNING version;

-- name: routings
-- How the orders of markets are allocated.
SELECT market, allocation, supplying FROM stock.routing WHERE cell = $1;

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
SELECT s.variant_id, s.warehouse, s.available, s.version, s.reserved
FROM unnest($2::uuid[], $3::text[]) AS l (variant_id, warehouse)
JOIN stock.level AS s ON s.cell = $1::integer AND s.variant_id = l.variant_id AND s.warehouse = l.warehouse
ORDER BY s.variant_id, s.warehouse
FOR UPDATE OF s;

-- name: levels
-- The levels of variants in every warehouse of the cell.
SELECT variant_id, warehouse, available, version, reserved FROM stock.level
WHERE cell = $1::integer AND variant_id = ANY ($2::uuid[]) ORDER BY variant_id, warehouse;

-- name: put_levels
-- Writes levels as they now are; the caller holds their locks.
UPDATE stock.level AS s
SET available = l.available, version = l.version
FROM unnest($2::uuid[], $3::text[], $4::integer[], $5::bigint[]) AS l (variant_id, warehouse, available, version)
WHERE s.cell = $1::integer AND s.variant_id = l.variant_id AND s.warehouse = l.warehouse;

-- name: shelves
-- What every warehouse of the cell has of these variants, with what allocation asks of the warehouse; and what a supplier wants
-- for a piece, as its feeds tell.
SELECT l.variant_id, l.warehouse, l.available, w.kind, w.country, w.rank, w.parcel_minor, w.lead_days,
       CASE WHEN w.kind = 'supplier' THEN (
           SELECT s.cost_minor FROM marketplace.supply AS s
           WHERE s.cell = l.cell AND s.warehouse = l.warehouse AND s.variant_id = l.variant_id
       ) END AS cost_minor
FROM stock.level AS l JOIN stock.warehouse AS w ON w.cell = l.cell AND w.code = l.warehouse
WHERE l.cell = $1::integer AND l.variant_id = ANY ($2::uuid[]) AND l.available > 0;

-- name: put_threshold
-- Sets from how few pieces on a variant is low.
INSERT INTO stock.threshold (cell, variant_id, pieces) VALUES ($1, $2, $3)
ON CONFLICT (cell, variant_id) DO UPDATE SET pieces = excluded.pieces;

-- name: watched
-- Of these variants, those with a threshold (their own, or that of all) or told as low: what can be sold of each from its shelves.
SELECT v.variant_id, s.sku, coalesce(l.available, 0)::integer, coalesce(t.pieces, d.pieces), coalesce(w.low, false),
       coalesce(w.version, 0)
FROM unnest($2::uuid[]) AS v (variant_id)
JOIN catalog.sku AS s ON s.variant_id = v.variant_id
LEFT JOIN stock.threshold AS t ON t.cell = $1 AND t.variant_id = v.variant_id
LEFT JOIN stock.threshold AS d ON d.cell = $1 AND d.variant_id = '00000000-0000-0000-0000-000000000000'
LEFT JOIN stock.low AS w ON w.cell = $1 AND w.variant_id = v.variant_id
LEFT JOIN LATERAL (
    SELECT sum(k.available) AS available FROM stock.level AS k JOIN stock.warehouse AS h ON h.cell = k.cell AND h.code = k.warehouse
    WHERE k.cell = $1 AND k.variant_id = v.variant_id AND h.kind IN ('own', 'supplier', 'digital')
) AS l ON true
WHERE coalesce(t.pieces, d.pieces) IS NOT NULL OR w.low
ORDER BY v.variant_id;

-- name: low
-- The variants that are low, those with the fewest pieces first.
SELECT w.variant_id, s.sku, coalesce(l.available, 0)::integer AS available, coalesce(t.pieces, d.pieces), w.low, w.version
FROM stock.low AS w
JOIN catalog.sku AS s ON s.variant_id = w.variant_id
LEFT JOIN stock.threshold AS t ON t.cell = w.cell AND t.variant_id = w.variant_id
LEFT JOIN stock.threshold AS d ON d.cell = w.cell AND d.variant_id = '00000000-0000-0000-0000-000000000000'
LEFT JOIN LATERAL (
    SELECT sum(k.available) AS available FROM stock.level AS k JOIN stock.warehouse AS h ON h.cell = k.cell AND h.code = k.warehouse
    WHERE k.cell = w.cell AND k.variant_id = w.variant_id AND h.kind IN ('own', 'supplier', 'digital')
) AS l ON true
WHERE w.cell = $1 AND w.low ORDER BY available, s.sku LIMIT $2;

-- name: put_low
-- Notes which variants were told as low, or as recovered.
INSERT INTO stock.low (cell, variant_id, low, version)
SELECT $1, l.variant_id, l.low, l.version FROM unnest($2::uuid[], $3::boolean[], $4::bigint[]) AS l (variant_id, low, version)
ON CONFLICT (cell, variant_id) DO UPDATE SET low = excluded.low, version = excluded.version;
