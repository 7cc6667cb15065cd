-- The queries of the log's readers and writers of projections. Positions travel as two bigints.

-- name: read_events
-- Events after a position in commit order, below the oldest open transaction; a last row, without id, says how far was read.
-- Where the archive has some of them too, the table is read only so far as $8 says, for the reader to merge.
WITH horizon AS MATERIALIZED (
    SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin, pg_snapshot_xmax(pg_current_snapshot()) AS xmax,
           a.archived, CASE WHEN a.archived THEN $8::bigint ELSE $4::bigint END AS rows_max
    FROM (
        SELECT EXISTS (
            SELECT FROM log.archive WHERE cell = $1 AND (last_txid, last_seq) > ($2::xid8::text::bigint, $3::bigint)
        ) AS archived
    ) AS a
),
scanned AS MATERIALIZED (
    SELECT e.* FROM log.event AS e
    WHERE e.cell = $1 AND (e.txid, e.seq) > ($2::xid8, $3::bigint) AND e.txid < (SELECT xmin FROM horizon)
    ORDER BY e.txid, e.seq
    LIMIT (SELECT rows_max FROM horizon)
)
SELECT s.id, s.txid, s.seq, s.at, s.kind, s.key, s.version, s.body, s.subject, s.actor, s.cause,
       hashtextextended(s.key, 0) AS hash,
       NULL::bigint AS last_txid, NULL::bigint AS scanned, NULL::bigint AS passed, NULL::boolean AS settled, NULL::boolean AS archived
FROM scanned AS s
WHERE s.kind = ANY ($5::text[]) AND ($7 = 1 OR log.shard_of(s.key, $7) = $6)
UNION ALL
SELECT NULL, CASE WHEN n.scanned < h.rows_max THEN h.xmin ELSE l.txid END,
       CASE WHEN n.scanned < h.rows_max THEN 0 ELSE l.seq END,
       l.at, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, l.txid::text::bigint, n.scanned, l.seq, h.xmin = h.xmax, h.archived
FROM horizon AS h
CROSS JOIN (SELECT count(*) AS scanned FROM scanned) AS n
LEFT JOIN LATERAL (SELECT s.txid, s.seq, s.at FROM scanned AS s ORDER BY s.txid DESC, s.seq DESC LIMIT 1) AS l ON true
ORDER BY scanned NULLS FIRST, txid, seq;

-- name: head
-- The position of a cell's last committed event, which may have left the table for the archive.
SELECT l.txid, l.seq
FROM (
    (SELECT e.txid::text::bigint, e.seq FROM log.event AS e WHERE e.cell = $1 ORDER BY e.txid DESC, e.seq DESC LIMIT 1)
    UNION ALL
    (SELECT a.last_txid, a.last_seq FROM log.archive AS a WHERE a.cell = $1 ORDER BY a.last_txid DESC, a.last_seq DESC LIMIT 1)
) AS l (txid, seq)
ORDER BY l.txid DESC, l.seq DESC
LIMIT 1;

-- name: forgotten
-- Which of these subjects' keys were destroyed.
SELECT subject FROM privacy.person_key WHERE subject = ANY ($1::uuid[]) AND wrapped IS NULL;

-- name: hashes
-- What decides the shard of each key, as `log.shard_of` counts it.
SELECT hashtextextended(k.key, 0) AS hash FROM unnest($1::text[]) WITH ORDINALITY AS k (key, place) ORDER BY k.place;

-- name: claim_leases
-- Takes or renews the leases that are free or already this holder's, and returns which are now his, with their fence.
INSERT INTO log.lease AS l (name, holder, fence, expires_at)
SELECT n.name, $2, 1, clock_timestamp() + make_interval(secs => $3)
FROM unnest($1::text[]) AS n (name)
ORDER BY n.name
ON CONFLICT (name) DO UPDATE
SET holder = excluded.holder, expires_at = excluded.expires_at,
    fence = l.fence + CASE WHEN l.holder = excluded.holder THEN 0 ELSE 1 END
WHERE l.holder = excluded.holder OR l.expires_at < clock_timestamp()
RETURNING l.name, l.fence;

-- name: release_leases
-- Lets go of a holder's leases at once.
DELETE FROM log.lease WHERE holder = $1 AND name = ANY ($2::text[]);

-- name: count_leases
-- How many leases whose name begins so are held now.
SELECT count(*) FROM log.lease WHERE starts_with(name, $1) AND expires_at >= clock_timestamp();

-- name: report_progress
-- Notes how far a slot is and tells who waits; losing the last of it in a crash is harmless, so the commit does not wait.
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)),
reported AS (
    INSERT INTO log.progress AS p (projection, generation, cell, shard, txid, seq, passed, stamp, events, items, rate)
    SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM quick
    ON CONFLICT (projection, generation, cell, shard) DO UPDATE
    SET txid = excluded.txid, seq = excluded.seq, events = p.events + excluded.events, items = p.items + excluded.items,
        passed = greatest(p.passed, excluded.passed), stamp = greatest(p.stamp, excluded.stamp),
        rate = excluded.rate, error = NULL, updated_at = now()
    WHERE (p.txid, p.seq) <= (excluded.txid, excluded.seq)
    RETURNING 1
)
SELECT pg_notify('log_progress', $12) FROM reported;

-- name: report_error
-- Notes why a slot does not go on.
INSERT INTO log.progress AS p (projection, generation, cell, shard, txid, seq, passed, stamp, events, items, rate, error)
VALUES ($1, $2, $3, $4, 0, 0, 0, 0, 0, 0, 0, $5)
ON CONFLICT (projection, generation, cell, shard) DO UPDATE SET error = excluded.error, rate = 0, updated_at = now();

-- name: reported_position
-- The position a slot last reported.
SELECT txid, seq FROM log.progress WHERE projection = $1 AND generation = $2 AND cell = $3 AND shard = $4;

-- name: live_positions
-- What every slot of every live generation has reported.
SELECT g.projection, g.generation, g.shards, g.engine, p.cell, p.shard, p.txid, p.seq
FROM log.generation AS g
LEFT JOIN log.progress AS p ON p.projection = g.projection AND p.generation = g.generation
WHERE g.state = 'live';

-- name: kept_positions
-- What every slot has reported of the generations that a move has left and feeds on, in the version that is read.
SELECT g.projection, g.generation, g.shards, g.engine, p.cell, p.shard, p.txid, p.seq
FROM log.move AS m
JOIN log.generation AS g ON g.engine = m.from_engine AND g.state = 'beside'
JOIN log.generation AS l ON l.projection = g.projection AND l.state = 'live' AND l.version = g.version
LEFT JOIN log.progress AS p ON p.projection = g.projection AND p.generation = g.generation
WHERE m.state = 'switched';

-- name: park
-- Puts events into quarantine: the one that could not be taken with its error, and those behind it without.
INSERT INTO log.quarantine (projection, generation, cell, shard, key, event_id, txid, seq, kind, error)
SELECT $1, $2, $3, $4, e.key, e.id, e.txid, e.seq, e.kind, e.error
FROM unnest($5::text[], $6::uuid[], $7::bigint[], $8::bigint[], $9::text[], $10::text[]) AS e (key, id, txid, seq, kind, error)
ON CONFLICT (projection, generation, cell, event_id) DO UPDATE
SET error = coalesce(excluded.error, quarantine.error), replay = false;

-- name: quarantined_keys
-- The keys of a slot that are in quarantine.
SELECT DISTINCT key FROM log.quarantine WHERE projection = $1 AND generation = $2 AND cell = $3 AND shard = $4;

-- name: quarantine
-- What is in quarantine of a projection, in the log's order, newest generation first; that of a reaction has generation 0.
SELECT q.generation, q.cell, q.key, q.event_id, q.kind, q.error, q.replay, q.at
FROM log.quarantine AS q
LEFT JOIN log.generation AS g ON g.projection = q.projection AND g.generation = q.generation
WHERE q.projection = $1 AND (q.generation = 0 OR g.state IN ('live', 'building', 'beside'))
ORDER BY q.generation DESC, q.cell, q.txid, q.seq
LIMIT $2;

-- name: request_replay
-- Asks the projector to try parked events again: those of one key, or all.
WITH asked AS (
    UPDATE log.quarantine SET replay = true
    WHERE projection = $1 AND ($2::text IS NULL OR key = $2)
    RETURNING 1
)
SELECT count(*) AS asked, pg_notify('log_quarantine', $1) FROM asked;

-- name: replay_events
-- The events of a slot's keys that someone has asked to try again, in the log's order: those parked since then, too.
-- One that has left the table for the archive comes without an id: its place and kind say where to find it there.
SELECT e.id, q.txid, q.seq, e.at, q.kind, q.key, e.version, e.body, e.subject, e.actor, e.cause
FROM log.quarantine AS q
LEFT JOIN log.event AS e ON e.cell = q.cell AND e.id = q.event_id
WHERE q.projection = $1 AND q.generation = $2 AND q.cell = $3 AND q.shard = $4 AND q.key IN (
    SELECT a.key FROM log.quarantine AS a
    WHERE a.projection = $1 AND a.generation = $2 AND a.cell = $3 AND a.shard = $4 AND a.replay
)
ORDER BY q.txid, q.seq
LIMIT $5;

-- name: unpark
-- Takes events that were handled out of quarantine.
DELETE FROM log.quarantine
WHERE projection = $1 AND generation = $2 AND cell = $3 AND event_id = ANY ($4::uuid[]);

-- name: stop_replay
-- Withdraws the request to try again for keys that failed again.
UPDATE log.quarantine SET replay = false
WHERE projection = $1 AND generation = $2 AND cell = $3 AND key = ANY ($4::text[]);

-- name: report_reader
-- Notes who reads a cell's log and where, and forgets who has said nothing for an hour.
WITH gone AS (
    DELETE FROM log.reader WHERE seen_at < now() - interval '1 hour' AND (cell, kind, holder) <> ($1, $2, $3)
)
INSERT INTO log.reader AS r (cell, kind, holder, source, why, txid, seq) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (cell, kind, holder) DO UPDATE
SET source = excluded.source, why = excluded.why, txid = excluded.txid, seq = excluded.seq, seen_at = now();

-- name: forget_reader
-- Takes away who has stopped reading.
DELETE FROM log.reader WHERE kind = $1 AND holder = $2;

-- name: readers
-- Who reads a cell's log now: where, how many slots he writes, and, of a relay, how many events lie behind it.
SELECT r.kind, r.holder, r.source, r.why, r.txid, r.seq, r.seen_at,
       (SELECT count(*) FROM log.lease AS l
        WHERE r.kind = 'projector' AND l.holder = r.holder AND starts_with(l.name, 'slot/')
        AND split_part(l.name, '/', 4) = r.cell::text AND l.expires_at >= clock_timestamp()) AS slots,
       greatest(h.seq - r.seq, 0) AS behind
FROM log.reader AS r
LEFT JOIN LATERAL (
    SELECT e.seq FROM log.event AS e WHERE e.cell = r.cell ORDER BY e.txid DESC, e.seq DESC LIMIT 1
) AS h ON true
WHERE r.cell = $1 AND r.seen_at > now() - make_interval(secs => $2)
ORDER BY r.kind, r.holder;
