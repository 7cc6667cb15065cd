-- name: claim
-- Claims a key for one command; returns nothing when it is taken, after waiting for whoever holds it.
INSERT INTO log.idempotency (cell, key, fingerprint, event_id, subject_id) VALUES ($1, $2, $3, $4, $4)
ON CONFLICT (cell, key) DO NOTHING
RETURNING event_id;

-- name: answer
-- What was asked under a key, and what was answered.
SELECT fingerprint, answer FROM log.idempotency WHERE cell = $1 AND key = $2;

-- name: remember
-- Stores the answer of the command that holds the key.
UPDATE log.idempotency SET answer = $3::jsonb WHERE cell = $1 AND key = $2;
