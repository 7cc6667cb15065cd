-- What the pulse adds to the log's own status; reads only.

-- name: tail
-- What was appended after a position, at most so many events: how many, how many orders, and the last position.
WITH tail AS MATERIALIZED (
    SELECT txid, seq, kind FROM log.event
    WHERE cell = $1 AND (txid, seq) > ($2::text::xid8, $3::bigint) ORDER BY txid, seq LIMIT $4
)
SELECT count(*) AS events, count(*) FILTER (WHERE kind = 'ordering.order_placed.v1') AS orders,
       (SELECT txid::text::bigint FROM tail ORDER BY txid DESC, seq DESC LIMIT 1) AS txid,
       (SELECT seq FROM tail ORDER BY txid DESC, seq DESC LIMIT 1) AS seq
FROM tail;

-- name: history
-- The last verifications of one projection, newest first.
SELECT projection, generation, at, checked, differing, repaired, seconds
FROM log.verification WHERE projection = $1 ORDER BY id DESC LIMIT $2;

-- name: newest_orders
-- The orders that were placed after a position, newest first.
SELECT body FROM log.event
WHERE cell = $1 AND (txid, seq) > ($2::text::xid8, $3::bigint) AND kind = 'ordering.order_placed.v1'
ORDER BY txid DESC, seq DESC LIMIT $4;
