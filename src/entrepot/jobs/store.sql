-- name: note_run
-- Notes how a job's last run went.
INSERT INTO jobs.run AS r (name, at, done, seconds, error) VALUES ($1, clock_timestamp(), $2, $3, $4)
ON CONFLICT (name) DO UPDATE SET at = excluded.at, done = r.done + excluded.done, seconds = excluded.seconds, error = excluded.error;

-- name: runs
-- How each job's last run went.
SELECT name, at, done, seconds, error FROM jobs.run ORDER BY name;

-- name: begin_cursor
-- Makes a reaction's cursor where there is none: at the log's present end, or at its very beginning ($3).
INSERT INTO jobs.cursor (cell, name, txid, seq)
SELECT $1, $2, coalesce(e.txid::text::bigint, 0), coalesce(e.seq, 0)
FROM (SELECT 1) AS one
LEFT JOIN LATERAL (
    SELECT v.txid, v.seq FROM log.event AS v WHERE v.cell = $1 AND NOT $3::boolean ORDER BY v.txid DESC, v.seq DESC LIMIT 1
) AS e ON true
ON CONFLICT (cell, name) DO NOTHING;

-- name: cursor
-- How far a reaction has read.
SELECT txid, seq FROM jobs.cursor WHERE cell = $1 AND name = $2;

-- name: move_cursor
-- Moves a reaction's cursor on, if it still stands where the batch began: of two that read the same, only one goes on.
-- Returns the keys that this reaction has set aside.
UPDATE jobs.cursor AS c SET txid = $5, seq = $6, updated_at = now()
WHERE c.cell = $1 AND c.name = $2 AND c.txid = $3 AND c.seq = $4
RETURNING ARRAY(
    SELECT DISTINCT q.key FROM log.quarantine AS q
    WHERE q.projection = 'reaction/' || c.name AND q.generation = 0 AND q.cell = c.cell AND q.shard = 0
) AS aside;

-- name: cursors
-- How far every reaction of a cell has read, how many events lie behind it, and what it has set aside, with its first error.
SELECT c.name, c.txid, c.seq, c.updated_at, greatest(h.seq - c.seq, 0) AS behind, q.aside, q.error
FROM jobs.cursor AS c
CROSS JOIN LATERAL (
    SELECT count(DISTINCT p.key) AS aside, (array_agg(p.error ORDER BY p.txid, p.seq) FILTER (WHERE p.error IS NOT NULL))[1] AS error
    FROM log.quarantine AS p
    WHERE p.projection = 'reaction/' || c.name AND p.generation = 0 AND p.cell = c.cell AND p.shard = 0
) AS q
CROSS JOIN LATERAL (SELECT coalesce(max(e.seq), 0) AS seq FROM log.event AS e WHERE e.cell = c.cell AND e.txid >= c.txid::text::xid8) AS h
WHERE c.cell = $1 ORDER BY c.name;

-- name: forget_keys
-- Looks at the next keys in their order and deletes those given before a moment, but for those that begin in a way that is kept;
-- says which was the last it looked at (nothing: there are no more), and how many it has deleted.
WITH looked AS MATERIALIZED (
    SELECT key, at FROM log.idempotency WHERE cell = $1 AND key > $2 ORDER BY key LIMIT $3
),
forgotten AS (
    DELETE FROM log.idempotency AS i USING looked AS l
    WHERE i.cell = $1 AND i.key = l.key AND l.at < $4
    AND NOT EXISTS (SELECT FROM unnest($5::text[]) AS k (start) WHERE starts_with(l.key, k.start))
    RETURNING 1
)
SELECT CASE WHEN count(*) = $3 THEN max(l.key) ELSE '' END AS last, (SELECT count(*) FROM forgotten) AS forgotten
FROM looked AS l;
