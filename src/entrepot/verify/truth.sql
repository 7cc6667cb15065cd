-- The present truth of each aggregate, told as the events that would bring a fresh projection to it, with present versions.
-- `<aggregate>_bound`: where the next page of ids begins, for a cell ($1), from an id ($2), after so many ids ($3).
-- `<aggregate>_events`: the events of a cell's keys whose id is from $2 up to, not with, $3 (NULL: no bound).

-- name: product_bound
-- The catalogue has no cell: it is told as the first cell's.
SELECT id FROM catalog.product WHERE $1::integer IS NOT NULL AND id >= $2 ORDER BY id OFFSET $3 LIMIT 1;

-- name: product_events
-- What a product is, or that it is withdrawn; and what it costs, if it ever had a price.
WITH bound AS (SELECT $1::integer AS cell, $2::uuid AS low, coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff') AS high),
texts AS (
    SELECT t.product_id,
           jsonb_object_agg(t.locale, json_build_object('title', t.title, 'summary', t.summary, 'description', t.description)) AS texts
    FROM catalog.product_text AS t, bound AS b WHERE t.product_id >= b.low AND t.product_id < b.high GROUP BY t.product_id
),
categories AS (
    SELECT p.product_id, json_agg(p.category_id ORDER BY p.place) AS ids,
           json_agg(c.path ORDER BY p.place) AS paths
    FROM catalog.product_category AS p JOIN catalog.category AS c ON c.id = p.category_id, bound AS b
    WHERE p.product_id >= b.low AND p.product_id < b.high GROUP BY p.product_id
),
variants AS (
    SELECT v.product_id, json_agg(json_build_object('id', v.id, 'sku', v.sku, 'options', v.options, 'barcodes', v.barcodes)
                                  ORDER BY v.place) AS variants
    FROM catalog.variant AS v, bound AS b WHERE v.product_id >= b.low AND v.product_id < b.high GROUP BY v.product_id
),
media AS (
    SELECT m.product_id, json_agg(json_build_object('url', m.url, 'role', m.role, 'alt', m.alt) ORDER BY m.place) AS media
    FROM catalog.media AS m, bound AS b WHERE m.product_id >= b.low AND m.product_id < b.high GROUP BY m.product_id
),
prices AS (
    SELECT p.product_id,
           json_agg(json_build_object('variant_id', p.variant_id, 'market', p.market, 'currency', p.currency,
                                      'amount_minor', p.amount_minor) ORDER BY p.variant_id, p.market COLLATE "C") AS prices
    FROM pricing.price AS p, bound AS b WHERE p.product_id >= b.low AND p.product_id < b.high GROUP BY p.product_id
)
SELECT CASE p.state WHEN 'withdrawn' THEN 'catalog.product_withdrawn.v1' ELSE 'catalog.product_changed.v1' END AS kind,
       'product/' || p.id AS key, p.version,
       CASE p.state WHEN 'withdrawn' THEN json_build_object('id', p.id, 'code', p.code)
       ELSE json_build_object(
           'id', p.id, 'code', p.code, 'brand', p.brand, 'texts', coalesce(t.texts, '{}'),
           'category_ids', coalesce(c.ids, '[]'), 'category_path_ids', (
               SELECT coalesce(json_agg(s.step ORDER BY s.place), '[]')
               FROM (
                   SELECT steps.step, min(path.place * 1000 + steps.place) AS place
                   FROM json_array_elements(c.paths) WITH ORDINALITY AS path (steps, place),
                        json_array_elements_text(path.steps) WITH ORDINALITY AS steps (step, place)
                   GROUP BY steps.step
               ) AS s
           ),
           'attributes', p.attributes, 'variants', coalesce(v.variants, '[]'), 'media', coalesce(m.media, '[]'),
           'released_on', p.released_on) END AS body
FROM bound AS b
JOIN catalog.product AS p ON p.id >= b.low AND p.id < b.high
LEFT JOIN texts AS t ON t.product_id = p.id
LEFT JOIN categories AS c ON c.product_id = p.id
LEFT JOIN variants AS v ON v.product_id = p.id
LEFT JOIN media AS m ON m.product_id = p.id
UNION ALL
SELECT 'pricing.prices_set.v1', 'product/' || r.product_id, r.version,
       json_build_object('product_id', r.product_id, 'prices', coalesce(s.prices, '[]'))
FROM bound AS b
JOIN pricing.product AS r ON r.product_id >= b.low AND r.product_id < b.high
LEFT JOIN prices AS s ON s.product_id = r.product_id
WHERE r.version > 0
ORDER BY key, kind;

-- name: category_bound
-- As for products.
SELECT id FROM catalog.category WHERE $1::integer IS NOT NULL AND id >= $2 ORDER BY id OFFSET $3 LIMIT 1;

-- name: category_events
-- What a category is.
SELECT 'catalog.category_changed.v1' AS kind, 'category/' || id AS key, version,
       json_build_object('id', id, 'code', code, 'parent_id', parent_id, 'names', names, 'path', path) AS body
FROM catalog.category
WHERE $1::integer IS NOT NULL AND id >= $2 AND id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
ORDER BY id;

-- name: stock_bound
-- By variant, for a variant's levels stay on one page.
SELECT DISTINCT variant_id FROM stock.level WHERE cell = $1 AND variant_id >= $2 ORDER BY variant_id OFFSET $3 LIMIT 1;

-- name: stock_events
-- What may still be taken of a variant; how it came to be so is not kept, so no projection may ask for it.
SELECT 'stock.changed.v1' AS kind, 'stock/' || variant_id || '/' || warehouse AS key, version,
       json_build_object('variant_id', variant_id, 'warehouse', warehouse, 'available', available, 'delta', 0,
                         'reason', 'adjusted') AS body
FROM stock.level
WHERE cell = $1 AND variant_id >= $2 AND variant_id < coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff') AND version > 0
ORDER BY variant_id, warehouse COLLATE "C";

-- name: order_bound
-- Orders of a cell.
SELECT id FROM ordering.orders WHERE cell = $1 AND id >= $2 ORDER BY id OFFSET $3 LIMIT 1;

-- name: order_events
-- An order as it was placed, and if it was cancelled whole, that. (One whose lines were cancelled one by one is told by those.)
WITH bound AS (SELECT $1::integer AS cell, $2::uuid AS low, coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff') AS high),
lines AS (
    SELECT l.order_id, json_agg(json_build_object(
        'line', l.line, 'product_id', l.product_id, 'variant_id', l.variant_id, 'sku', l.sku, 'warehouse', l.warehouse,
        'quantity', l.quantity, 'unit_minor', l.unit_minor, 'amount_minor', l.amount_minor, 'category_id', l.category_id
    ) ORDER BY l.line) AS lines
    FROM bound AS b JOIN ordering.line AS l ON l.cell = b.cell AND l.order_id >= b.low AND l.order_id < b.high
    GROUP BY l.order_id
),
charges AS (
    SELECT c.order_id, json_agg(json_build_object(
        'charge', c.charge, 'kind', c.kind, 'amount_minor', c.amount_minor, 'note', c.note
    ) ORDER BY c.charge) AS charges
    FROM bound AS b JOIN ordering.charge AS c ON c.cell = b.cell AND c.order_id >= b.low AND c.order_id < b.high
    GROUP BY c.order_id
),
placed AS MATERIALIZED (
    SELECT o.id, o.version, o.cancelled_at, o.cancelled_for, EXISTS (
        SELECT FROM ordering.returns AS r WHERE r.cell = o.cell AND r.order_id = o.id AND r.kind = 'cancelled') AS by_lines, json_build_object(
        'id', o.id, 'placed_at', to_char(o.placed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'market', o.market,
        'country', o.country, 'currency', o.currency, 'lines', coalesce(l.lines, '[]'), 'charges', coalesce(c.charges, '[]'),
        'customer_id', o.customer_id, 'goods_minor', o.goods_minor, 'charges_minor', o.charges_minor,
        'total_minor', o.total_minor) AS body
    FROM bound AS b
    JOIN ordering.orders AS o ON o.cell = b.cell AND o.id >= b.low AND o.id < b.high
    LEFT JOIN lines AS l ON l.order_id = o.id
    LEFT JOIN charges AS c ON c.order_id = o.id
)
SELECT 'ordering.order_placed.v1' AS kind, 'order/' || id AS key, 1::bigint AS version, body FROM placed
UNION ALL
SELECT 'ordering.order_cancelled.v1', 'order/' || id, version, json_build_object(
    'id', id, 'at', to_char(cancelled_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), 'reason', cancelled_for, 'order', body)
FROM placed WHERE cancelled_at IS NOT NULL AND NOT by_lines
ORDER BY key, version;

-- name: return_bound
-- Returns of a cell.
SELECT id FROM ordering.returns WHERE cell = $1 AND id >= $2 ORDER BY id OFFSET $3 LIMIT 1;

-- name: return_events
-- What came back, or was cancelled before it left.
WITH bound AS (SELECT $1::integer AS cell, $2::uuid AS low, coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff') AS high),
lines AS (
    SELECT l.return_id, json_agg(json_build_object(
        'line', l.line, 'product_id', l.product_id, 'variant_id', l.variant_id, 'sku', l.sku, 'warehouse', l.warehouse,
        'quantity', l.quantity, 'unit_minor', l.unit_minor, 'amount_minor', l.amount_minor, 'category_id', l.category_id
    ) ORDER BY l.line) AS lines
    FROM bound AS b JOIN ordering.return_line AS l ON l.cell = b.cell AND l.return_id >= b.low AND l.return_id < b.high
    GROUP BY l.return_id
),
charges AS (
    SELECT c.return_id, json_agg(json_build_object(
        'charge', c.charge, 'kind', c.kind, 'amount_minor', c.amount_minor, 'note', c.note
    ) ORDER BY c.charge) AS charges
    FROM bound AS b JOIN ordering.return_charge AS c ON c.cell = b.cell AND c.return_id >= b.low AND c.return_id < b.high
    GROUP BY c.return_id
)
SELECT CASE r.kind WHEN 'cancelled' THEN 'ordering.lines_cancelled.v1' ELSE 'ordering.order_returned.v1' END AS kind,
       'return/' || r.id AS key, 1::bigint AS version, json_build_object(
    'return_id', r.id, 'id', r.order_id, 'at', to_char(r.returned_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'reason', r.reason, 'market', r.market, 'country', r.country, 'currency', r.currency, 'lines', coalesce(l.lines, '[]'),
    'charges', coalesce(c.charges, '[]'), 'customer_id', r.customer_id, 'restocked', r.restocked,
    'total_minor', r.total_minor) AS body
FROM bound AS b
JOIN ordering.returns AS r ON r.cell = b.cell AND r.id >= b.low AND r.id < b.high
LEFT JOIN lines AS l ON l.return_id = r.id
LEFT JOIN charges AS c ON c.return_id = r.id
ORDER BY r.id;
