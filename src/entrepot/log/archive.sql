-- The queries that move passed partitions of the log to object storage. {partition} is a name checked by the caller.

-- name: ensure_partitions
-- Makes the partitions of the days around a moment.
SELECT log.ensure_partitions('log.event', 'day', $1::timestamptz - interval '1 day', $1::timestamptz + interval '7 days');

-- name: take_turn
-- Takes the right to archive, for as long as the connection has it.
SELECT pg_try_advisory_lock(hashtextextended('log.archive', 0));

-- name: end_turn
-- Gives the right to archive back.
SELECT pg_advisory_unlock(hashtextextended('log.archive', 0));

-- name: partitions
-- The partitions of the log, oldest first; one that a crash left half detached is `pending`, one wholly detached is `detached`.
SELECT c.relname AS name, coalesce(i.inhdetachpending, false) AS pending, i.inhrelid IS NULL AS detached,
       EXISTS (SELECT FROM pg_constraint WHERE conrelid = c.oid AND conname = 'partition_is_closed') AS closed
FROM pg_class AS c
LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
WHERE c.relnamespace = 'log'::regnamespace AND c.relkind = 'r' AND c.relname ~ '^event_[0-9]{8}$'
ORDER BY c.relname;

-- name: close_partition
-- Refuses every further event to a partition, and so waits for those that are being written; what it holds stays readable.
ALTER TABLE log.{partition} ADD CONSTRAINT partition_is_closed CHECK (false) NOT VALID;

-- name: contents
-- What a partition holds of each cell.
SELECT c.cell, c.rows, f.txid AS first_txid, f.seq AS first_seq, l.txid AS last_txid, l.seq AS last_seq
FROM (SELECT cell, count(*) AS rows FROM log.{partition} GROUP BY cell) AS c
CROSS JOIN LATERAL (SELECT txid, seq FROM log.{partition} WHERE cell = c.cell ORDER BY txid, seq LIMIT 1) AS f
CROSS JOIN LATERAL (SELECT txid, seq FROM log.{partition} WHERE cell = c.cell ORDER BY txid DESC, seq DESC LIMIT 1) AS l
ORDER BY c.cell;

-- name: is_passed
-- Whether every slot of every generation in use has passed a position.
SELECT NOT EXISTS (
    SELECT FROM log.generation AS g
    CROSS JOIN LATERAL generate_series(0, g.shards - 1) AS s (shard)
    LEFT JOIN log.progress AS p
        ON p.projection = g.projection AND p.generation = g.generation AND p.cell = $1 AND p.shard = s.shard
    WHERE g.state IN ('live', 'building', 'beside') AND (p.txid IS NULL OR (p.txid, p.seq) < ($2::bigint, $3::bigint))
);

-- name: has_parked
-- Whether an event of a partition waits in quarantine: replay needs it in the table.
SELECT EXISTS (SELECT FROM log.quarantine AS q JOIN log.{partition} AS e ON e.cell = q.cell AND e.id = q.event_id);

-- name: page
-- The next events of a cell in a partition, whole.
SELECT txid, seq, id, at, kind, key, hashtextextended(key, 0) AS hash, version, body, sealed, subject, actor, cause
FROM log.{partition}
WHERE cell = $1 AND (txid, seq) > ($2::xid8, $3::bigint)
ORDER BY txid, seq
LIMIT $4;

-- name: add_archive
-- Notes that a cell's events of a partition are in the archive.
INSERT INTO log.archive (cell, partition, object, rows, first_txid, first_seq, last_txid, last_seq, sha256, bytes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (cell, partition) DO UPDATE SET sha256 = excluded.sha256, bytes = excluded.bytes, rows = excluded.rows;

-- name: archived_rows
-- How many events of a partition the archive holds, all cells together.
SELECT coalesce(sum(rows), 0)::bigint FROM log.archive WHERE partition = $1;

-- name: counted_rows
-- How many events a partition holds.
SELECT count(*) FROM log.{partition};

-- name: detach
-- Takes a partition out of the log, waiting for nobody who reads or writes.
ALTER TABLE log.event DETACH PARTITION log.{partition} CONCURRENTLY;

-- name: finalize
-- Completes a detachment that was cut.
ALTER TABLE log.event DETACH PARTITION log.{partition} FINALIZE;

-- name: drop
-- Deletes a partition that has left the log.
DROP TABLE log.{partition};

-- name: mark_dropped
-- Notes that the archive is now the only place of a partition's events.
UPDATE log.archive SET dropped = true WHERE partition = $1;

-- name: archives_after
-- The archived parts of a cell's log that reach beyond a position, by where they begin.
SELECT object, sha256, first_txid, first_seq, last_txid, last_seq
FROM log.archive
WHERE cell = $1 AND (last_txid, last_seq) > ($2::bigint, $3::bigint)
ORDER BY first_txid, first_seq;
