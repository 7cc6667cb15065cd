-- Sessions and API keys: what is asked of them at a request, and what ends them.
-- name: add_session
-- Begins a session: its person was here.
WITH seen AS (UPDATE identity.person SET seen_at = $6 WHERE id = $2)
INSERT INTO identity.session
    (id, person_id, secret_hash, methods, place_sealed, began_at, proved_at, seen_at, idle_seconds, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $9, $6, $7, $8);

-- name: memberships
-- Returns what somebody is, and to whom.
SELECT role, tenant FROM identity.membership WHERE person_id = $1;

-- name: touch_session
-- Notes that a session is used, and returns it; a row only if it is good, its secret is this and its person may come in.
UPDATE identity.session AS s SET seen_at = greatest(s.seen_at, $3)
FROM identity.person AS p
WHERE s.id = $1 AND s.secret_hash = $2 AND p.id = s.person_id AND p.state = 'active'
    AND s.ended_at IS NULL AND s.expires_at > $3 AND s.seen_at + make_interval(secs => s.idle_seconds) > $3
RETURNING s.person_id, s.methods, s.proved_at, s.expires_at, '{}'::text[] AS scopes,
    ARRAY(SELECT m.role || ' ' || m.tenant FROM identity.membership AS m WHERE m.person_id = s.person_id) AS memberships;

-- name: touch_key
-- Notes that an API key is used, and returns it; a row only if it is good, its secret is this and its owner may come in.
UPDATE identity.api_key AS k SET used_at = greatest(k.used_at, $3)
FROM identity.person AS p
WHERE k.id = $1 AND k.secret_hash = $2 AND p.id = k.person_id AND p.state = 'active'
    AND k.ended_at IS NULL AND k.expires_at > $3
RETURNING k.person_id, '{}'::text[] AS methods, k.created_at AS proved_at, k.expires_at, k.scopes,
    ARRAY(SELECT m.role || ' ' || m.tenant FROM identity.membership AS m WHERE m.person_id = k.person_id) AS memberships;

-- name: renew_session
-- Gives a session a new secret, and with a fresh proof its moment and what was added to how.
UPDATE identity.session
SET secret_hash = $4, proved_at = CASE WHEN cardinality($5::text[]) > 0 THEN $3 ELSE proved_at END,
    methods = ARRAY(SELECT DISTINCT unnest(methods || $5::text[]) ORDER BY 1)
WHERE id = $1 AND person_id = $2 AND ended_at IS NULL
RETURNING expires_at;

-- name: end_sessions
-- Ends sessions of somebody: one, all but one, or all; returns their ids.
UPDATE identity.session SET ended_at = $2, why = $3
WHERE person_id = $1 AND ended_at IS NULL AND expires_at > $2
    AND ($4::uuid IS NULL OR id = $4) AND ($5::uuid IS NULL OR id <> $5)
RETURNING id;

-- name: end_oldest
-- Ends the sessions that somebody has beyond so many, the least recently used first; returns their ids.
UPDATE identity.session SET ended_at = $2, why = 'too many'
WHERE id IN (
    SELECT id FROM identity.session WHERE person_id = $1 AND ended_at IS NULL AND expires_at > $2
    ORDER BY seen_at DESC OFFSET $3
)
RETURNING id;

-- name: sessions
-- Returns the sessions of somebody that are good.
SELECT id, methods, place_sealed, began_at, seen_at, expires_at FROM identity.session
WHERE person_id = $1 AND ended_at IS NULL AND expires_at > $2 AND seen_at + make_interval(secs => idle_seconds) > $2
ORDER BY seen_at DESC;

-- name: add_key
-- Keeps an API key.
INSERT INTO identity.api_key (id, person_id, label, prefix, secret_hash, scopes, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: good_keys
-- Returns the ids of somebody's API keys that are good.
SELECT id FROM identity.api_key WHERE person_id = $1 AND ended_at IS NULL AND expires_at > $2;

-- name: end_key
-- Ends an API key; says whether it was good.
UPDATE identity.api_key SET ended_at = $3 WHERE id = $2 AND person_id = $1 AND ended_at IS NULL RETURNING id;
