-- The queries of entries that leave for object storage. The name of a partition comes from the catalogue, by a pattern.

-- name: take_turn
-- Takes the right to move entries, for as long as the connection has it.
SELECT pg_try_advisory_lock(hashtextextended('audit.archive', 0));

-- name: end_turn
-- Gives the right to move entries back.
SELECT pg_advisory_unlock(hashtextextended('audit.archive', 0));

-- name: partitions
-- The days of entries before one of them, the oldest first.
SELECT c.relname AS name FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
WHERE i.inhparent = 'audit.entry'::regclass AND c.relname ~ '^entry_[0-9]{8}$' AND c.relname < $1 ORDER BY c.relname;

-- name: contents
-- What a day holds: by cell and class how many, and the first and last place.
SELECT cell, class, count(*) AS rows, min(ARRAY[txid::text::bigint, seq]) AS first, max(ARRAY[txid::text::bigint, seq]) AS last
FROM audit.{entries} GROUP BY cell, class ORDER BY cell, class;

-- name: page
-- The next entries of a class of a cell, in commit order.
SELECT id, seq, txid::text::bigint AS txid, at, class, actor, action, object, subject, network, agent, why, status, problem,
       array_to_string(others, ' ') AS others
FROM audit.{entries}
WHERE cell = $1 AND class = $2 AND (txid, seq) > ($3::xid8, $4::bigint) ORDER BY txid, seq LIMIT $5;

-- name: add_archive
-- Notes an object that holds a class of a day; one whose day is still in the table may be written anew.
INSERT INTO audit.archive AS a (cell, partition, class, object, rows, first_txid, first_seq, last_txid, last_seq, sha256)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (cell, partition, class) DO UPDATE SET rows = excluded.rows, sha256 = excluded.sha256, at = now(),
    first_txid = excluded.first_txid, first_seq = excluded.first_seq, last_txid = excluded.last_txid, last_seq = excluded.last_seq
WHERE NOT a.dropped;

-- name: drop_archived
-- Takes a day away that lies in the archive whole.
SELECT audit.drop_archived($1);

-- name: over
-- The objects of a class whose days are before one, and that are there still.
SELECT cell, partition, object, rows FROM audit.archive
WHERE class = $1 AND partition < $2 AND dropped AND NOT retired ORDER BY partition, cell LIMIT $3;

-- name: mark_retired
-- Notes that an object is gone since its time was over.
UPDATE audit.archive SET retired = true WHERE object = $1;

-- name: log_parts_between
-- The archived days of a cell's log between two.
SELECT object, sha256, partition, NULL AS class, false AS retired FROM log.archive
WHERE cell = $1 AND partition BETWEEN $2 AND $3 AND dropped ORDER BY partition;

-- name: parts_between
-- The archived days of a cell between two, newest first.
SELECT object, sha256, partition, class, retired FROM audit.archive
WHERE cell = $1 AND partition BETWEEN $2 AND $3 AND dropped AND NOT retired ORDER BY partition DESC, class LIMIT $4;
