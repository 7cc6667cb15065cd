-- name: sku
-- How a SKU is delivered, and its variant.
SELECT variant_id, delivery FROM catalog.sku WHERE sku = $1;

-- name: article_for_update
-- Locks a digital article.
SELECT variant_id, sku, licensed, object, file_name, media_type, downloads_most, days, version
FROM digital.article WHERE cell = $1 AND variant_id = $2 FOR UPDATE;

-- name: articles
-- Digital articles, by SKU.
SELECT variant_id, sku, licensed, object, file_name, media_type, downloads_most, days, version
FROM digital.article WHERE cell = $1 ORDER BY sku LIMIT $2;

-- name: put_article
-- Writes a digital article as it now is.
INSERT INTO digital.article (cell, variant_id, sku, licensed, object, file_name, media_type, downloads_most, days, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (cell, variant_id) DO UPDATE SET licensed = excluded.licensed, object = excluded.object,
    file_name = excluded.file_name, media_type = excluded.media_type, downloads_most = excluded.downloads_most,
    days = excluded.days, version = excluded.version;

-- name: add_licences
-- Puts licences into a pool; those that are, or were, in it already are left as they are. Returns how many are new.
WITH added AS (
    INSERT INTO digital.licence (cell, variant_id, code) SELECT $1, $2, c FROM unnest($3::text[]) AS c ORDER BY c
    ON CONFLICT (cell, variant_id, code) DO NOTHING RETURNING 1
)
SELECT count(*) FROM added;

-- name: claim_licences
-- Hands out so many licences of a pool to a line of an order, all or none; what others are being handed is passed over.
WITH free AS MATERIALIZED (
    SELECT code FROM digital.licence WHERE cell = $1 AND variant_id = $2 AND state = 'free' LIMIT $5 FOR UPDATE SKIP LOCKED
)
UPDATE digital.licence AS l SET state = 'handed_out', order_id = $3, line = $4
FROM free WHERE l.cell = $1 AND l.variant_id = $2 AND l.code = free.code AND (SELECT count(*) FROM free) = $5
RETURNING l.code;

-- name: set_low_at
-- Sets from how few free licences on a pool is low; NULL leaves it as it is.
UPDATE digital.article SET low_at = coalesce($3, low_at) WHERE cell = $1 AND variant_id = $2;

-- name: crossed_low
-- Notes whether a pool is low, and returns it only when that has changed. No more is counted than could matter.
WITH free AS (
    SELECT count(*)::integer AS pieces FROM (
        SELECT 1 FROM digital.licence WHERE cell = $1 AND variant_id = $2 AND state = 'free' LIMIT $3 + 1
    ) AS l
)
UPDATE digital.article AS a
SET is_low = f.pieces <= a.low_at, version = a.version + CASE WHEN f.pieces <= a.low_at THEN 1 ELSE 0 END
FROM free AS f
WHERE a.cell = $1 AND a.variant_id = $2 AND a.licensed AND a.is_low <> (f.pieces <= a.low_at)
RETURNING a.variant_id, a.sku, a.licensed, a.object, a.file_name, a.media_type, a.downloads_most, a.days, a.version, a.low_at,
          a.is_low, f.pieces AS free;

-- name: low_pools
-- Pools that are low, those with the fewest free licences first.
SELECT a.sku, a.low_at,
       (SELECT count(*) FROM digital.licence AS l WHERE l.cell = $1 AND l.variant_id = a.variant_id AND l.state = 'free') AS free,
       (SELECT coalesce(sum(e.quantity), 0)::bigint FROM digital.entitlement AS e
        WHERE e.cell = $1 AND e.variant_id = a.variant_id AND e.state = 'waiting') AS waiting
FROM digital.article AS a WHERE a.cell = $1 AND a.licensed AND a.is_low ORDER BY free, a.sku LIMIT $2;

-- name: revoke_licences
-- Revokes licences of a line of an order until so many are.
UPDATE digital.licence AS l SET state = 'revoked'
FROM (
    SELECT variant_id, code FROM digital.licence WHERE cell = $1 AND order_id = $2 AND line = $3
    ORDER BY state <> 'revoked', code LIMIT $4
) AS r
WHERE l.cell = $1 AND l.variant_id = r.variant_id AND l.code = r.code AND l.state = 'handed_out';

-- name: bought
-- The lines of orders that are of digital articles.
SELECT l.order_id, l.line, l.quantity, l.cancelled, l.returned, o.state AS order_state, a.variant_id, a.sku, a.licensed, a.object,
       a.file_name, a.media_type, a.downloads_most, a.days, a.version
FROM ordering.line AS l
JOIN digital.article AS a ON a.cell = l.cell AND a.variant_id = l.variant_id
JOIN ordering.orders AS o ON o.cell = l.cell AND o.id = l.order_id
WHERE l.cell = $1 AND l.order_id = ANY ($2::uuid[]) AND l.delivery = 'digital' ORDER BY l.order_id, l.line;

-- name: entitlements_for_update
-- Locks what orders give a right to.
SELECT order_id, line, variant_id, sku, quantity, revoked, state, object, file_name, media_type, downloads, downloads_most,
       handed_out_at, expires_at, version
FROM digital.entitlement WHERE cell = $1 AND order_id = ANY ($2::uuid[]) ORDER BY order_id, line FOR UPDATE;

-- name: entitlement
-- What a line of an order gives a right to.
SELECT order_id, line, variant_id, sku, quantity, revoked, state, object, file_name, media_type, downloads, downloads_most,
       handed_out_at, expires_at, version
FROM digital.entitlement WHERE cell = $1 AND order_id = $2 AND line = $3;

-- name: put_entitlement
-- Writes what a line of an order gives a right to, as it now is; how often it was fetched is counted elsewhere.
INSERT INTO digital.entitlement (cell, order_id, line, variant_id, sku, quantity, revoked, state, object, file_name, media_type,
                                 downloads, downloads_most, handed_out_at, expires_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
ON CONFLICT (cell, order_id, line) DO UPDATE SET quantity = excluded.quantity, revoked = excluded.revoked,
    state = excluded.state, handed_out_at = excluded.handed_out_at, expires_at = excluded.expires_at, version = excluded.version;

-- name: waiting
-- Orders that wait for what they give a right to though something was paid, the oldest first.
SELECT DISTINCT e.order_id FROM digital.entitlement AS e
JOIN ordering.orders AS o ON o.cell = e.cell AND o.id = e.order_id
LEFT JOIN payment.payment AS p ON p.cell = e.cell AND p.id = e.order_id
WHERE e.cell = $1 AND e.state = 'waiting' AND (o.paid_by IN ('terms', 'none') OR p.captured_minor > 0)
ORDER BY e.order_id LIMIT $2;

-- name: count_download
-- Counts a download, if there may be one more, and returns the file; one statement, so that no two take the last one.
UPDATE digital.entitlement SET downloads = downloads + 1
WHERE cell = $1 AND order_id = $2 AND line = $3 AND state = 'handed_out' AND downloads < downloads_most AND expires_at > $4
RETURNING downloads;

-- name: promises
-- Of a pool: the licences that are free, what was promised of them (by levels, to checkouts, to orders that wait), and what
-- the digital warehouse's level still has. The level is locked.
SELECT (SELECT count(*) FROM digital.licence WHERE cell = $1 AND variant_id = $2 AND state = 'free')::integer AS free,
       (SELECT coalesce(sum(available + reserved), 0) FROM stock.level WHERE cell = $1 AND variant_id = $2)::integer
       + (SELECT coalesce(sum(quantity), 0) FROM digital.entitlement WHERE cell = $1 AND variant_id = $2 AND state = 'waiting')::integer
       AS promised,
       (SELECT coalesce(sum(available), 0) FROM stock.level WHERE cell = $1 AND variant_id = $2 AND warehouse = $3)::integer AS available;

-- name: secret
-- What downloads' addresses are signed with.
SELECT secret, sealed FROM digital.secret WHERE cell = $1;

-- name: put_secret
-- Keeps a secret for the cell, unless there is one.
INSERT INTO digital.secret (cell, sealed) VALUES ($1, $2) ON CONFLICT (cell) DO NOTHING;

-- name: pool
-- A pool as it stands.
SELECT a.sku, count(*) FILTER (WHERE l.state = 'free') AS free, count(*) FILTER (WHERE l.state = 'handed_out') AS handed_out,
       count(*) FILTER (WHERE l.state = 'revoked') AS revoked,
       (SELECT coalesce(sum(e.quantity), 0)::bigint FROM digital.entitlement AS e
        WHERE e.cell = $1 AND e.variant_id = a.variant_id AND e.state = 'waiting') AS waiting,
       (SELECT coalesce(sum(s.available), 0)::bigint FROM stock.level AS s WHERE s.cell = $1 AND s.variant_id = a.variant_id) AS available
FROM digital.article AS a LEFT JOIN digital.licence AS l ON l.cell = a.cell AND l.variant_id = a.variant_id
WHERE a.cell = $1 AND a.sku = $2 AND a.licensed GROUP BY a.cell, a.variant_id;

-- name: of_order
-- What an order gives a right to.
SELECT order_id, line, variant_id, sku, quantity, revoked, state, object, file_name, media_type, downloads, downloads_most,
       handed_out_at, expires_at, version
FROM digital.entitlement WHERE cell = $1 AND order_id = $2 ORDER BY line;

-- name: codes_of_order
-- The licences that an order was handed and that are not revoked.
SELECT line, code FROM digital.licence WHERE cell = $1 AND order_id = $2 AND state = 'handed_out' ORDER BY line, code;
