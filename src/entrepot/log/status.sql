-- name: heads
-- The head of each cell's log: the last event, archive included, and the number of the first that is still in the table.
SELECT c.cell, coalesce(l.txid::text::bigint, a.last_txid) AS txid, coalesce(l.seq, a.last_seq) AS seq, l.at, f.seq AS first_seq
FROM unnest($1::integer[]) AS c (cell)
LEFT JOIN LATERAL (
    SELECT e.txid, e.seq, e.at FROM log.event AS e WHERE e.cell = c.cell ORDER BY e.txid DESC, e.seq DESC LIMIT 1
) AS l ON true
LEFT JOIN LATERAL (
    SELECT r.last_txid, r.last_seq FROM log.archive AS r WHERE r.cell = c.cell ORDER BY r.last_txid DESC, r.last_seq DESC LIMIT 1
) AS a ON true
LEFT JOIN LATERAL (
    SELECT e.seq FROM log.event AS e WHERE e.cell = c.cell ORDER BY e.txid, e.seq LIMIT 1
) AS f ON true
ORDER BY c.cell;

-- name: slots
-- What every slot of every generation in use has reported, and the time of the first event that it has not passed.
SELECT g.projection, g.generation, g.version, g.shards, g.state, g.created_at, p.cell, p.shard, p.txid, p.seq, p.passed, p.events,
       p.items, p.rate, p.error, p.updated_at, n.at AS next_at
FROM log.generation AS g
LEFT JOIN log.progress AS p ON p.projection = g.projection AND p.generation = g.generation
LEFT JOIN LATERAL (
    SELECT e.at FROM log.event AS e
    WHERE e.cell = p.cell AND (e.txid, e.seq) > (p.txid::text::xid8, p.seq)
    ORDER BY e.txid, e.seq LIMIT 1
) AS n ON true
WHERE g.projection = ANY ($1::text[]) AND g.state IN ('live', 'building', 'beside')
ORDER BY g.projection, g.generation, p.cell, p.shard;

-- name: quarantined
-- How many keys and events of each generation are in quarantine.
SELECT projection, generation, count(DISTINCT key) AS keys, count(*) AS events
FROM log.quarantine WHERE projection = ANY ($1::text[]) GROUP BY projection, generation;

-- name: verifications
-- The last verification of each projection, but of what lies beside, which nobody reads.
SELECT DISTINCT ON (projection) projection, generation, at, checked, differing, repaired, seconds
FROM log.verification AS v
WHERE projection = ANY ($1::text[]) AND NOT EXISTS (
    SELECT FROM log.generation AS g WHERE g.projection = v.projection AND g.generation = v.generation AND g.state = 'beside'
)
ORDER BY projection, id DESC;

-- name: archived
-- The number of the first event of each cell's log that is in the archive.
SELECT cell, min(first_seq) AS first_seq
FROM log.archive WHERE cell = ANY ($1::integer[]) GROUP BY cell;
