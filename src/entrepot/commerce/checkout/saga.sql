-- name: reserve_checkouts
-- Reserves what many checkouts want, by one call (see the function).
SELECT place, outcome, checkout_id, line, claim, remaining FROM checkout.reserve_checkouts(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22);

-- name: place_checkouts
-- Places many authorized checkouts, by one call (see the function).
SELECT place, state, now_so, txid, seq FROM checkout.place_checkouts(
    $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: release_checkouts
-- Ends many checkouts without an order, by one call (see the function).
SELECT place, state, now_so, txid, seq FROM checkout.release_checkouts($1, $2, $3, $4, $5, $6, $7, $8);

-- name: checkout
-- A checkout as it stands, and where the log tells of its end.
SELECT c.id, c.state, c.total_minor, c.currency, c.expires_at, c.stepped_at, c.challenge_url, c.reason, c.held::text AS held,
       e.txid::text::bigint AS txid, e.seq
FROM checkout.checkout AS c
LEFT JOIN log.event AS e ON e.cell = c.cell AND e.id = c.event_id AND c.held IS NULL
WHERE c.cell = $1 AND c.id = $2;

-- name: checkout_of_key
-- The checkout that a key has begun, and for which request. (A key may belong to another command: then it has no checkout.)
SELECT i.fingerprint, c.id FROM log.idempotency AS i
LEFT JOIN checkout.checkout AS c ON c.cell = i.cell AND c.id = i.subject_id
WHERE i.cell = $1 AND i.key = $2;

-- name: mark_challenged
-- Notes where the buyer must prove who they are, while the checkout is still open.
UPDATE checkout.checkout SET state = 'challenged', challenge_url = $3, stepped_at = $4
WHERE cell = $1 AND id = $2 AND state IN ('authorizing', 'challenged') RETURNING state;

-- name: left_behind
-- Checkouts whose last step is too old for anybody to be at it still, or whose time is over, the oldest first. At a challenge the
-- buyer may have answered and got lost on the way back: those are looked at as often, and at every run when their time is nearly over.
SELECT id FROM checkout.checkout
WHERE cell = $1 AND held IS NOT NULL AND (expires_at < $2 OR stepped_at < $3 OR state = 'challenged' AND expires_at - $2 < $2 - $3)
ORDER BY stepped_at LIMIT $4;
