-- name: threshold
-- From where on a deed takes two people; nothing where there is no limit.
SELECT above FROM approval.threshold WHERE kind = $1 AND scope = $2;

-- name: thresholds
-- Every limit.
SELECT kind, scope, above FROM approval.threshold ORDER BY kind, scope;

-- name: migrations_may_be_held
-- Whether the record knows of limits yet: a new one does not.
SELECT to_regclass('approval.threshold') IS NOT NULL;

-- name: put_threshold
-- Sets a limit, and returns its version if that is a change.
INSERT INTO approval.threshold AS t (kind, scope, above, version) VALUES ($1, $2, $3, 1)
ON CONFLICT (kind, scope) DO UPDATE SET above = excluded.above, version = t.version + 1
WHERE t.above <> excluded.above RETURNING version;

-- name: lift_threshold
-- Takes a limit away, and returns its last version.
DELETE FROM approval.threshold WHERE kind = $1 AND scope = $2 RETURNING version;

-- name: open_of
-- The approval that a deed waits for or has, locked: it is used under this lock.
SELECT id, kind, about, scope, amount, what, state, asked_by, asked_at, expires_at, decided_by, decided_at, applied_at, why, version
FROM approval.request WHERE cell = $1 AND digest = $2 AND state IN ('requested', 'approved') FOR UPDATE;

-- name: last_of
-- How the last approval of a deed stands.
SELECT id, kind, about, scope, amount, what, state, asked_by, asked_at, expires_at, decided_by, decided_at, applied_at, why, version
FROM approval.request WHERE cell = $1 AND digest = $2 ORDER BY id DESC LIMIT 1;

-- name: approval
-- One approval.
SELECT id, kind, about, scope, amount, what, state, asked_by, asked_at, expires_at, decided_by, decided_at, applied_at, why, version
FROM approval.request WHERE cell = $1 AND id = $2;

-- name: approval_for_update
-- One approval, locked.
SELECT id, kind, about, scope, amount, what, state, asked_by, asked_at, expires_at, decided_by, decided_at, applied_at, why, version
FROM approval.request WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: approvals
-- Approvals before an id, newest first; of one state, or of every.
SELECT id, kind, about, scope, amount, what, state, asked_by, asked_at, expires_at, decided_by, decided_at, applied_at, why, version
FROM approval.request WHERE cell = $1 AND ($2 = '' OR state = $2) AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4;

-- name: over
-- Approvals that nobody decided or used in time.
SELECT id FROM approval.request WHERE cell = $1 AND state IN ('requested', 'approved') AND expires_at <= $2 ORDER BY id LIMIT $3;

-- name: put_approval
-- Writes an approval that a deed waits for; none when it waits already.
INSERT INTO approval.request (cell, id, kind, about, scope, amount, what, digest, state, asked_by, asked_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (cell, digest) WHERE state IN ('requested', 'approved') DO NOTHING RETURNING id;

-- name: move_approval
-- Writes how an approval now stands; the caller holds its lock.
UPDATE approval.request SET state = $3, decided_by = $4, decided_at = $5, why = $6, applied_at = $7, version = $8
WHERE cell = $1 AND id = $2;

-- name: put_changes
-- Notes changes of financial terms; one that is noted stays as it is.
INSERT INTO approval.change (cell, id, at, kind, key, version, actor, body)
SELECT $1, c.id, c.at, c.kind, c.key, c.version, c.actor, c.body::jsonb
FROM unnest($2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::integer[], $7::text[], $8::text[])
    AS c (id, at, kind, key, version, actor, body)
ON CONFLICT (cell, id) DO NOTHING;

-- name: changes
-- Changes of financial terms before an id, newest first: of one key, of keys that begin so, or of all; since a moment.
SELECT id, at, kind, key, version, actor, body::text AS body FROM approval.change
WHERE cell = $1 AND starts_with(key, $2) AND at >= $3 AND ($4::uuid IS NULL OR id < $4) ORDER BY id DESC LIMIT $5;
