-- The queries of the audit. What is hashed comes out as text and numbers, in the order in which it is hashed.

-- name: put_entries
-- Writes entries, as many as arrived together, in one transaction of their own or in the caller's. A request has one: that of an
-- order may be there already, when it was placed after all while the caller was told that it takes too long.
INSERT INTO audit.entry (cell, id, at, class, actor, action, object, subject, network, agent, why, status, problem, others)
SELECT $1::integer, e.id, e.at, e.class, e.actor, e.action, e.object, e.subject, e.network, e.agent, e.why, e.status, e.problem,
       e.others::uuid[]
FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[], $9::text[], $10::text[],
            $11::text[], $12::integer[], $13::text[], $14::text[])
    AS e (id, at, class, actor, action, object, subject, network, agent, why, status, problem, others)
ON CONFLICT (cell, id) DO NOTHING;

-- name: ensure_partitions
-- Makes the partitions of the days around a moment.
SELECT audit.ensure_partitions($1::timestamptz - interval '1 day', $1::timestamptz + interval '7 days');

-- name: write_out
-- Gives the entries that calls of the hot path have written as one row each rows of their own; returns how many calls' that were.
SELECT audit.write_out($1, $2);

-- name: link_next
-- Adds one link to a cell's chain and returns how many rows it holds.
SELECT audit.link_next($1, $2, $3, $4);

-- name: entry_rows
-- Entries between two places in commit order (the first not among them), as they are hashed.
SELECT 'entry', cell, id::text, seq, txid::text::bigint, at, class, actor, action, object, subject::text, network, agent, why,
       status, problem, array_to_string(others, ' ')
FROM audit.entry
WHERE cell = $1 AND (txid, seq) > ($2::xid8, $3::bigint) AND (txid, seq) <= ($4::xid8, $5::bigint)
ORDER BY txid, seq;

-- name: event_rows
-- Events between two places in commit order (the first not among them), as they are hashed.
SELECT 'event', cell, id::text, seq, txid::text::bigint, at, kind, key, version, body::text, encode(sealed, 'hex'),
       subject::text, actor, cause::text
FROM log.event
WHERE cell = $1 AND (txid, seq) > ($2::xid8, $3::bigint) AND (txid, seq) <= ($4::xid8, $5::bigint)
ORDER BY txid, seq;

-- name: links_after
-- The next links of a cell, as many as hold so many rows together (one, if it alone holds more).
SELECT l.cell, l.place, l.source, l.last_txid, l.last_seq, l.at, l.rows, l.previous, l.hash
FROM (
    SELECT c.*, sum(length(c.rows) / 48) OVER (ORDER BY c.place) AS running, row_number() OVER (ORDER BY c.place) AS n
    FROM (SELECT * FROM audit.link WHERE cell = $1 AND place > $2 ORDER BY place LIMIT $4) AS c
) AS l
WHERE l.running <= $3 OR l.n = 1
ORDER BY l.place;

-- name: place_at
-- The last link of a cell that was made before a stamp; 0 if there is none.
SELECT coalesce(max(place), 0) FROM audit.link WHERE cell = $1 AND at < $2;

-- name: link_before
-- The last link of a source up to a place.
SELECT last_txid, last_seq FROM audit.link WHERE cell = $1 AND place <= $2 AND source = $3 ORDER BY place DESC LIMIT 1;

-- name: link_at
-- One link.
SELECT cell, place, source, last_txid, last_seq, at, rows, previous, hash FROM audit.link WHERE cell = $1 AND place = $2;

-- name: hashes_between
-- The hashes of the links after one place up to another, for a root over them.
SELECT place, hash, at FROM audit.link WHERE cell = $1 AND place > $2 ORDER BY place LIMIT $3;

-- name: last_root
-- The root of a cell that was published last.
SELECT number, last_place, at, object, document, locked FROM audit.root WHERE cell = $1 ORDER BY number DESC LIMIT 1;

-- name: put_root
-- Notes a root that is published; a second publisher of the same root finds it noted.
INSERT INTO audit.root (cell, number, last_place, at, object, document, locked) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (cell, number) DO NOTHING;

-- name: signing_keys
-- The keys that sign roots, newest first.
SELECT public, wrapped_by, wrapped FROM audit.signing_key ORDER BY made_at DESC, public;

-- name: put_signing_key
-- Keeps the first key that signs roots; of two who make one at once, the first one's counts.
INSERT INTO audit.signing_key (public, wrapped_by, wrapped)
SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM audit.signing_key);

-- name: lock_signing_keys
-- Lets one process at a time make the first key.
LOCK TABLE audit.signing_key IN SHARE ROW EXCLUSIVE MODE;

-- name: entries
-- Returns entries, newest first, of whom or what is asked for (of actions a part); a marked object is found by what it stands for, too.
SELECT id, at, class, actor, action, object, subject, network, agent, why, status, problem, coalesce(others, '{}') AS others
FROM audit.every_entry
WHERE cell = $1
    AND ($2::uuid IS NULL OR subject = $2 OR (others IS NOT NULL AND others @> ARRAY[$2]))
    AND ($3::text IS NULL OR actor = $3)
    AND ($10::uuid IS NULL OR id = $10)
    AND ($9::text IS NULL OR strpos(action, $9) > 0)
    AND ($4::text IS NULL OR object IN ($4, $5) OR (object > $4 || '/' AND object < $4 || '0'))
    AND id >= $6::uuid AND id < $7::uuid
ORDER BY id DESC
LIMIT $8;

-- name: events_of
-- The events that a request caused, for as long as a checkout may take; all of them have an id that is later than its own. What was
-- written together with an order that it placed is of that order by its key, and names no cause: the payment's events, and those of
-- the levels that its lines were taken from, which one call changes once for all the orders that it places.
WITH caused AS MATERIALIZED (
    SELECT txid, seq, id, kind, key, at, body FROM log.event
    WHERE cell = $1 AND cause = $2 AND id > $2 AND id < $3 ORDER BY txid, seq LIMIT $4
), beside AS (
    SELECT DISTINCT o.txid, k.key FROM caused AS o
    CROSS JOIN LATERAL (
        SELECT 'payment/' || (o.body ->> 'id')
        UNION ALL
        SELECT concat_ws('/', 'stock', l ->> 'variant_id', l ->> 'warehouse') FROM jsonb_array_elements(o.body -> 'lines') AS l
    ) AS k (key)
    WHERE o.kind = 'ordering.order_placed.v1'
)
SELECT id, kind, key, at FROM (
    SELECT txid, seq, id, kind, key, at FROM caused
    UNION ALL
    SELECT e.txid, e.seq, e.id, e.kind, e.key, e.at FROM beside AS b
    JOIN log.event AS e ON e.cell = $1 AND e.txid = b.txid AND e.key = b.key AND e.cause IS NULL AND e.id > $2 AND e.id < $3
) AS e ORDER BY txid, seq LIMIT $4;

-- name: state
-- Where a chain stands, and what waits to be linked.
SELECT h.place, l.at AS linked_at, r.number AS root, r.last_place AS root_place, r.at AS root_at, r.locked, r.object,
       (SELECT count(*) FROM (
            (SELECT FROM audit.entry AS e WHERE e.cell = $1 AND (e.txid, e.seq) > (h.entry_txid, h.entry_seq) LIMIT 10000)
            UNION ALL
            (SELECT FROM audit.entry_batch AS b CROSS JOIN LATERAL audit.entries_of(b) WHERE b.cell = $1 LIMIT 10000)
            LIMIT 10000
        ) AS w) AS waiting_entries,
       (SELECT count(*) FROM (
            SELECT FROM log.event AS e WHERE e.cell = $1 AND (e.txid, e.seq) > (h.event_txid, h.event_seq) LIMIT 10000
        ) AS w) AS waiting_events
FROM audit.head AS h
LEFT JOIN audit.link AS l ON l.cell = h.cell AND l.place = h.place
LEFT JOIN LATERAL (SELECT * FROM audit.root WHERE cell = h.cell ORDER BY number DESC LIMIT 1) AS r ON true
WHERE h.cell = $1;

-- name: without_entry
-- Requests whose events are in the log and that left no entry: their process ended before it answered, or the entry is gone.
SELECT e.cause, min(e.at) AS at, array_agg(DISTINCT e.kind) AS kinds
FROM log.event AS e
WHERE e.cell = $1 AND e.cause IS NOT NULL AND e.at >= $2 AND e.at < $3
    AND NOT EXISTS (SELECT FROM audit.entry AS a WHERE a.cell = e.cell AND a.id = e.cause)
    AND NOT EXISTS (SELECT FROM audit.entry_batch AS b WHERE b.cell = e.cell AND e.cause = ANY (b.id))
    AND NOT EXISTS (
        SELECT FROM audit.archive AS a
        WHERE a.cell = e.cell AND a.dropped AND a.partition = 'entry_' || to_char(to_timestamp((e.at >> 16) / 1000.0) AT TIME ZONE 'UTC', 'YYYYMMDD')
    )
GROUP BY e.cause
ORDER BY at
LIMIT $4;

-- name: event_archives
-- The archived parts of a cell's log that reach into a stretch of places, and are no longer in the table.
SELECT object, sha256, partition, NULL AS class, false AS retired FROM log.archive
WHERE cell = $1 AND dropped AND (last_txid, last_seq) > ($2::bigint, $3::bigint)
    AND (first_txid, first_seq) <= ($4::bigint, $5::bigint)
ORDER BY first_txid, first_seq;

-- name: entry_archives
-- The archived parts of a cell's entries that reach into a stretch of places, and are no longer in the table.
SELECT object, sha256, partition, class, retired FROM audit.archive
WHERE cell = $1 AND dropped AND (last_txid, last_seq) > ($2::bigint, $3::bigint)
    AND (first_txid, first_seq) <= ($4::bigint, $5::bigint)
ORDER BY first_txid, first_seq;
