-- What the pulse of the house is made of; reads only.

-- name: tail
-- What was appended after a position, at most so many events: how many, how many orders, and the last position.
WITH tail AS MATERIALIZED (
    SELECT txid, seq, at, kind FROM log.event
    WHERE cell = $1 AND (txid, seq) > ($2::text::xid8, $3::bigint) ORDER BY txid, seq LIMIT $4
)
SELECT count(*) AS events, count(*) FILTER (WHERE kind = 'ordering.order_placed.v1') AS orders,
       max(txid::text::bigint) AS txid, (SELECT seq FROM tail ORDER BY txid DESC, seq DESC LIMIT 1) AS seq, max(seq) AS head
FROM tail;

-- name: head
-- The last position of a cell's log.
SELECT txid::text::bigint AS txid, seq, (SELECT max(seq) FROM (
    SELECT seq FROM log.event WHERE cell = $1 ORDER BY txid DESC, seq DESC LIMIT 100) AS last) AS head
FROM log.event WHERE cell = $1 ORDER BY txid DESC, seq DESC LIMIT 1;

-- name: lanes
-- Every generation in use: how far its slots are, what they do, and what is set aside.
SELECT g.projection, g.generation, g.version, g.state, g.created_at, g.live_at,
       coalesce(p.passed, 0) AS passed, coalesce(p.stamp, 0) AS stamp, coalesce(p.events, 0)::bigint AS events,
       coalesce(p.items, 0)::bigint AS items, coalesce(p.rate, 0) AS rate, p.error, p.updated_at,
       (SELECT count(*) FROM log.quarantine AS q
        WHERE q.projection = g.projection AND q.generation = g.generation AND q.cell = $1) AS quarantined
FROM log.generation AS g
LEFT JOIN LATERAL (
    SELECT min(passed) AS passed, min(stamp) AS stamp, sum(events) AS events, sum(items) AS items, sum(rate) AS rate,
           max(error) AS error, min(updated_at) AS updated_at
    FROM log.progress WHERE projection = g.projection AND generation = g.generation AND cell = $1
) AS p ON true
WHERE g.state IN ('live', 'building')
ORDER BY g.projection, g.generation;

-- name: verifications
-- The last verification of each projection.
SELECT DISTINCT ON (projection) projection, generation, at, checked, differing, repaired, seconds
FROM log.verification ORDER BY projection, id DESC;

-- name: history
-- The last verifications of one projection.
SELECT projection, generation, at, checked, differing, repaired, seconds
FROM log.verification WHERE projection = $1 ORDER BY id DESC LIMIT $2;

-- name: newest_orders
-- The orders that were placed after a position, newest first.
SELECT body FROM log.event
WHERE cell = $1 AND (txid, seq) > ($2::text::xid8, $3::bigint) AND kind = 'ordering.order_placed.v1'
ORDER BY txid DESC, seq DESC LIMIT $4;
