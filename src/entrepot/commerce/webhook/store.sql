-- name: add_endpoint
-- Adds a subscriber, who is told of what happens from now on.
INSERT INTO webhook.endpoint (cell, id, url, secret_sealed, kinds, txid, seq, version)
SELECT $1, $2, $3, $4, $5, coalesce(e.txid::text::bigint, 0), coalesce(e.seq, 0), 1
FROM (SELECT 1) AS one
LEFT JOIN LATERAL (SELECT v.txid, v.seq FROM log.event AS v WHERE v.cell = $1 ORDER BY v.txid DESC, v.seq DESC LIMIT 1) AS e ON true;

-- name: count_endpoints
-- How many subscribers a cell has.
SELECT count(*) FROM webhook.endpoint WHERE cell = $1;

-- name: endpoint_for_update
-- Locks a subscriber.
SELECT id, url, kinds, state, why, version FROM webhook.endpoint WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: set_state
-- Sets a subscriber's state; one that is active again is tried at once. The caller holds its lock.
UPDATE webhook.endpoint
SET state = $3, why = $4, version = $5, failures = 0, failing_since = NULL, resting_until = NULL
WHERE cell = $1 AND id = $2;

-- name: set_position
-- Moves a subscriber to before an event of a moment, or to where it is told; what is parked is tried with the rest again.
UPDATE webhook.endpoint SET txid = $3, seq = $4, version = version + 1, failures = 0, failing_since = NULL, resting_until = NULL
WHERE cell = $1 AND id = $2;

-- name: position_at
-- The position of the last event before a moment (an event's id begins with the moment, in milliseconds).
SELECT txid::text::bigint AS txid, seq FROM log.event
WHERE cell = $1 AND id < log.uuid_at($2::timestamptz) ORDER BY id DESC LIMIT 1;

-- name: retry_parked
-- Asks for parked events to be tried again now: one of them ($3), or all.
UPDATE webhook.parked SET state = 'waiting', first_at = now(), next_at = now(), tries = 0
WHERE cell = $1 AND endpoint_id = $2 AND ($3::uuid IS NULL OR event_id = $3) RETURNING event_id;

-- name: remove_endpoint
-- Forgets a subscriber and what is parked for it.
DELETE FROM webhook.endpoint WHERE cell = $1 AND id = $2;

-- name: due_endpoints
-- The subscribers who may be told something now.
SELECT id, url, secret, secret_sealed, kinds, txid, seq, version, failures, failing_since FROM webhook.endpoint
WHERE cell = $1 AND state = 'active' AND (resting_until IS NULL OR resting_until <= $2) ORDER BY id;

-- name: parked_keys
-- The keys of which something is parked for a subscriber: what follows waits behind it.
SELECT DISTINCT key FROM webhook.parked WHERE cell = $1 AND endpoint_id = $2 AND state = 'waiting' AND key = ANY ($3::text[]);

-- name: park
-- Parks events of a subscriber; those that are parked already stay as they are.
INSERT INTO webhook.parked (cell, endpoint_id, txid, seq, event_id, key, kind, tries, error, first_at, next_at, message)
SELECT $1, $2, p.txid, p.seq, p.event_id, p.key, p.kind, p.tries, p.error, $3, p.next_at, p.message
FROM unnest($4::bigint[], $5::bigint[], $6::uuid[], $7::text[], $8::text[], $9::integer[], $10::text[], $11::timestamptz[],
            $12::text[])
    AS p (txid, seq, event_id, key, kind, tries, error, next_at, message)
ON CONFLICT ON CONSTRAINT event_is_parked_once DO NOTHING;

-- name: move_on
-- Moves a subscriber's position on, unless somebody has changed the subscriber since the batch began: to tell it again, to pause it.
UPDATE webhook.endpoint
SET txid = $4, seq = $5, delivered = delivered + $6, delivered_at = CASE WHEN $6 > 0 THEN now() ELSE delivered_at END,
    failures = $7, failing_since = $8, resting_until = $9
WHERE cell = $1 AND id = $2 AND version = $3 RETURNING id;

-- name: due_parked
-- The first event of each key that is parked for active subscribers and due, the longest due first.
SELECT f.endpoint_id, e.url, e.secret, e.secret_sealed, f.txid, f.seq, f.event_id, f.key, f.message, f.tries, f.first_at
FROM (
    SELECT DISTINCT ON (p.endpoint_id, p.key) p.endpoint_id, p.key, p.txid, p.seq, p.event_id, p.message, p.tries, p.first_at,
           p.next_at
    FROM webhook.parked AS p WHERE p.cell = $1 AND p.state = 'waiting'
    ORDER BY p.endpoint_id, p.key, p.txid, p.seq
) AS f
JOIN webhook.endpoint AS e ON e.cell = $1 AND e.id = f.endpoint_id AND e.state = 'active'
WHERE f.next_at <= $2 AND (e.resting_until IS NULL OR e.resting_until <= $2)
ORDER BY f.next_at LIMIT $3;

-- name: rest
-- Lets a subscriber who does not answer rest until a moment.
UPDATE webhook.endpoint SET failures = failures + 1, failing_since = coalesce(failing_since, $3), resting_until = $4
WHERE cell = $1 AND id = $2;

-- name: unpark
-- Forgets a parked event that was delivered.
DELETE FROM webhook.parked WHERE cell = $1 AND endpoint_id = $2 AND txid = $3 AND seq = $4;

-- name: note_delivered
-- Counts a parked event that was delivered.
UPDATE webhook.endpoint
SET delivered = delivered + 1, delivered_at = now(), failures = 0, failing_since = NULL, resting_until = NULL
WHERE cell = $1 AND id = $2;

-- name: park_longer
-- Notes that a parked event was refused again; without a next try it is dead.
UPDATE webhook.parked
SET tries = tries + 1, error = $5, next_at = coalesce($6, next_at), state = CASE WHEN $6 IS NULL THEN 'dead' ELSE 'waiting' END
WHERE cell = $1 AND endpoint_id = $2 AND txid = $3 AND seq = $4;

-- name: endpoints
-- Every subscriber, how far it has been told, and what is parked for it.
SELECT e.id, e.url, e.kinds, e.state, e.why, e.txid, e.seq, e.delivered, e.delivered_at, e.failures, e.failing_since,
       e.resting_until, e.created_at, greatest(h.seq - e.seq, 0) AS behind,
       coalesce(p.waiting, 0) AS waiting, coalesce(p.dead, 0) AS dead
FROM webhook.endpoint AS e
LEFT JOIN LATERAL (
    SELECT count(*) FILTER (WHERE q.state = 'waiting') AS waiting, count(*) FILTER (WHERE q.state = 'dead') AS dead
    FROM webhook.parked AS q WHERE q.cell = e.cell AND q.endpoint_id = e.id
) AS p ON true
LEFT JOIN LATERAL (
    SELECT v.seq FROM log.event AS v WHERE v.cell = e.cell ORDER BY v.txid DESC, v.seq DESC LIMIT 1
) AS h ON true
WHERE e.cell = $1 ORDER BY e.id;

-- name: parked
-- What is parked for a subscriber, in the log's order, after a position.
SELECT event_id, key, kind, state, tries, error, first_at, next_at, txid, seq FROM webhook.parked
WHERE cell = $1 AND endpoint_id = $2 AND ($3::text = '' OR state = $3) ORDER BY txid, seq LIMIT $4;
