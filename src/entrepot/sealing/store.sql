-- name: ring_keys
-- The ring keys that are still held, the newest first.
SELECT id, purpose, state, wrapped_by, wrapped FROM privacy.ring_key WHERE state <> 'retired' ORDER BY id DESC;

-- name: has_ring
-- Whether this database has a ring at all: an older one has not, until it is migrated.
SELECT to_regclass('privacy.ring_key') IS NOT NULL;

-- name: first_ring_keys
-- Puts in the first ring keys; of several processes that start at once, one does.
INSERT INTO privacy.ring_key (purpose, state, wrapped_by, wrapped)
SELECT k.purpose, 'active', k.wrapped_by, k.wrapped FROM unnest($1::text[], $2::text[], $3::bytea[]) AS k (purpose, wrapped_by, wrapped)
ON CONFLICT (purpose) WHERE state = 'active' DO NOTHING;

-- name: retire_active
-- Lets the ring key that wraps persons' keys wrap no new one. Waits for those that are being made under it.
UPDATE privacy.ring_key SET state = 'retiring' WHERE purpose = 'person' AND state = 'active';

-- name: add_ring_key
-- Adds the ring key that wraps persons' keys from now on.
INSERT INTO privacy.ring_key (purpose, state, wrapped_by, wrapped) VALUES ('person', 'active', $1, $2) RETURNING id;

-- name: set_ring_wrapping
-- Puts a ring key in under another wrapping, unless somebody was quicker.
UPDATE privacy.ring_key SET wrapped_by = $3, wrapped = $4 WHERE id = $1 AND wrapped = $2;

-- name: retire_empty
-- Forgets the ring keys that wrap no key any more.
UPDATE privacy.ring_key AS r SET state = 'retired', wrapped = NULL, retired_at = now()
WHERE r.state = 'retiring' AND NOT EXISTS (SELECT FROM privacy.person_key AS p WHERE p.ring_key_id = r.id AND p.wrapped IS NOT NULL)
RETURNING r.id;

-- name: person_keys
-- The keys of these subjects; one that was destroyed is there without its bytes.
SELECT subject, ring_key_id, wrapped FROM privacy.person_key WHERE subject = ANY ($1::uuid[]);

-- name: make_person_keys
-- The keys of these subjects, made where there is none, as long as the ring key is the active one. A key that another process
-- makes in the same moment is not among them: ask again.
WITH ring AS (
    SELECT id FROM privacy.ring_key WHERE id = $3 AND state = 'active' FOR SHARE
), made AS (
    INSERT INTO privacy.person_key (subject, ring_key_id, wrapped)
    SELECT k.subject, ring.id, k.wrapped FROM unnest($1::uuid[], $2::bytea[]) AS k (subject, wrapped) CROSS JOIN ring
    ON CONFLICT (subject) DO NOTHING
    RETURNING subject, ring_key_id, wrapped
)
SELECT subject, ring_key_id, wrapped FROM made
UNION ALL
SELECT subject, ring_key_id, wrapped FROM privacy.person_key WHERE subject = ANY ($1::uuid[]);

-- name: destroy
-- Destroys a subject's key, for good, and tells every process when the transaction commits.
WITH gone AS (
    INSERT INTO privacy.person_key (subject, ring_key_id, wrapped, destroyed_at)
    SELECT $1, r.id, NULL, now() FROM privacy.ring_key AS r WHERE r.purpose = 'person' AND r.state = 'active'
    ON CONFLICT (subject) DO UPDATE SET wrapped = NULL, destroyed_at = now() WHERE person_key.wrapped IS NOT NULL
    RETURNING subject
)
SELECT pg_notify('privacy_keys', gone.subject::text) FROM gone;

-- name: tell_ring_changed
-- Tells every process that the ring is another.
SELECT pg_notify('privacy_keys', 'ring');

-- name: to_rewrap
-- Keys that are not under the active ring key, some at a time.
SELECT p.subject, p.ring_key_id, p.wrapped FROM privacy.ring_key AS r JOIN privacy.person_key AS p ON p.ring_key_id = r.id
WHERE r.state = 'retiring' AND p.wrapped IS NOT NULL ORDER BY p.ring_key_id, p.subject LIMIT $1;

-- name: rewrap
-- Puts keys in under another ring key; one that was destroyed meanwhile stays so.
UPDATE privacy.person_key AS p SET ring_key_id = $4, wrapped = k.fresh
FROM unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS k (subject, was, fresh)
WHERE p.subject = k.subject AND p.wrapped = k.was;

-- name: status
-- Every ring key that there ever was, and how many keys it wraps.
SELECT r.id, r.purpose, r.state, r.wrapped_by, r.made_at, r.retired_at,
       (SELECT count(*) FROM privacy.person_key AS p WHERE p.ring_key_id = r.id AND p.wrapped IS NOT NULL) AS wraps
FROM privacy.ring_key AS r ORDER BY r.id;

-- name: destroyed
-- How many subjects were forgotten.
SELECT count(*) FROM privacy.person_key WHERE wrapped IS NULL;
