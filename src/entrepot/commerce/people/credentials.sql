-- What people prove who they are with, and what they were handed for it. Secrets are here as hashes, or sealed.
-- name: door
-- Returns what is needed to let somebody in by password: one row or none.
SELECT l.person_id, p.state = 'active' AS open, w.hash, t.seed_sealed, t.step
FROM identity.login AS l
JOIN identity.person AS p ON p.id = l.person_id
LEFT JOIN identity.password AS w ON w.person_id = l.person_id
LEFT JOIN identity.totp AS t ON t.person_id = l.person_id AND t.confirmed_at IS NOT NULL
WHERE l.email_blind = $1;

-- name: door_of
-- Returns the same for somebody who is known by their id.
SELECT p.id AS person_id, p.state = 'active' AS open, w.hash, t.seed_sealed, t.step
FROM identity.person AS p
LEFT JOIN identity.password AS w ON w.person_id = p.id
LEFT JOIN identity.totp AS t ON t.person_id = p.id AND t.confirmed_at IS NOT NULL
WHERE p.id = $1;

-- name: login_sealed
-- Returns the address that somebody signs in as, sealed.
SELECT email_sealed FROM identity.login WHERE person_id = $1;

-- name: set_password
-- Sets somebody's password.
INSERT INTO identity.password (person_id, hash, changed_at) VALUES ($1, $2, $3)
ON CONFLICT (person_id) DO UPDATE SET hash = $2, changed_at = $3
RETURNING xmax = 0 AS added;

-- name: rehash_password
-- Keeps the same password under a new cost, unless it was changed meanwhile.
UPDATE identity.password SET hash = $3 WHERE person_id = $1 AND hash = $2;

-- name: begin_totp
-- Keeps a seed that is to be confirmed; one that is confirmed stays.
INSERT INTO identity.totp (person_id, seed_sealed) VALUES ($1, $2)
ON CONFLICT (person_id) DO UPDATE SET seed_sealed = $2, step = 0 WHERE totp.confirmed_at IS NULL
RETURNING person_id;

-- name: unconfirmed_totp
-- Returns a seed that is to be confirmed.
SELECT seed_sealed FROM identity.totp WHERE person_id = $1 AND confirmed_at IS NULL FOR UPDATE;

-- name: confirm_totp
-- Makes a seed the one that codes are asked of.
UPDATE identity.totp SET confirmed_at = $2, step = $3 WHERE person_id = $1;

-- name: use_step
-- Uses up the code of a step; says whether neither it nor a later one was used.
UPDATE identity.totp SET step = $2 WHERE person_id = $1 AND step < $2 RETURNING person_id;

-- name: remove_totp
-- Forgets somebody's seed; says whether there was one.
DELETE FROM identity.totp WHERE person_id = $1 RETURNING person_id;

-- name: remove_recovery_codes
-- Forgets somebody's recovery codes.
DELETE FROM identity.recovery_code WHERE person_id = $1;

-- name: add_recovery_codes
-- Keeps recovery codes, hashed.
INSERT INTO identity.recovery_code (person_id, hash) SELECT $1, h FROM unnest($2::bytea[]) AS h;

-- name: recovery_code
-- Says whether a recovery code is somebody's and is not used.
SELECT true FROM identity.recovery_code WHERE person_id = $1 AND hash = $2 AND used_at IS NULL;

-- name: use_recovery_code
-- Uses up a recovery code; says whether it was not used.
UPDATE identity.recovery_code SET used_at = $3 WHERE person_id = $1 AND hash = $2 AND used_at IS NULL RETURNING person_id;

-- name: add_passkey
-- Keeps a passkey; says whether its credential was nobody's.
INSERT INTO identity.passkey (id, person_id, credential_id, public_key, sign_count, backed_up, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING RETURNING id;

-- name: passkey
-- Returns the passkey of a credential, of somebody who may come in.
SELECT k.id, k.person_id, k.credential_id, k.public_key, k.sign_count
FROM identity.passkey AS k JOIN identity.person AS p ON p.id = k.person_id
WHERE k.credential_id = $1 AND p.state = 'active';

-- name: credentials_of
-- Returns the credentials of somebody's passkeys.
SELECT credential_id FROM identity.passkey WHERE person_id = $1;

-- name: has_second_factor
-- Says whether somebody can prove who they are by more than a password, a letter or another's word.
SELECT EXISTS (SELECT FROM identity.totp WHERE person_id = $1 AND confirmed_at IS NOT NULL)
    OR EXISTS (SELECT FROM identity.passkey WHERE person_id = $1);

-- name: use_passkey
-- Notes that a passkey was used, and how often it says it was.
UPDATE identity.passkey SET sign_count = $2, used_at = $3 WHERE id = $1;

-- name: remove_passkey
-- Forgets a passkey.
DELETE FROM identity.passkey WHERE id = $2 AND person_id = $1 RETURNING id;

-- name: link_external
-- Notes who somebody is to another provider; says whether that is nobody yet.
INSERT INTO identity.external_login (provider, subject_blind, person_id, linked_at) VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING RETURNING person_id;

-- name: external_person
-- Returns who is known to a provider by this name, if they may come in.
SELECT p.id, p.state = 'active' AS open
FROM identity.external_login AS x JOIN identity.person AS p ON p.id = x.person_id
WHERE x.provider = $1 AND x.subject_blind = $2;

-- name: unlink_external
-- Forgets who somebody is to a provider.
DELETE FROM identity.external_login WHERE person_id = $1 AND provider = $2 RETURNING provider;

-- name: add_link
-- Keeps a link that is good once; those for the same purpose are over.
WITH over AS (
    UPDATE identity.link SET used_at = $6 WHERE person_id = $2 AND purpose = $3 AND used_at IS NULL
)
INSERT INTO identity.link (id, person_id, purpose, secret_hash, email_sealed, created_at, expires_at, asked_hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: link
-- Returns a link that is good.
SELECT id, person_id, purpose, secret_hash, email_sealed, asked_hash FROM identity.link
WHERE id = $1 AND used_at IS NULL AND expires_at > $2;

-- name: use_link
-- Uses a link up; says whether it was good.
UPDATE identity.link SET used_at = $2 WHERE id = $1 AND used_at IS NULL RETURNING id;

-- name: end_links
-- Ends the links of somebody for a purpose.
UPDATE identity.link SET used_at = $3 WHERE person_id = $1 AND purpose = $2 AND used_at IS NULL;

-- name: device
-- Returns whose device it is, and the hash of its secret.
SELECT person_id, secret_hash FROM identity.device WHERE id = $1;

-- name: add_device
-- Keeps a device that has signed somebody in.
INSERT INTO identity.device (id, person_id, secret_hash, created_at, seen_at) VALUES ($1, $2, $3, $4, $4);

-- name: device_seen
-- Notes that a device has signed somebody in again.
UPDATE identity.device SET seen_at = $2 WHERE id = $1;

-- name: count_devices
-- Counts the devices that somebody has signed in with.
SELECT count(*) FROM identity.device WHERE person_id = $1;

-- name: try
-- Counts a try in each of these buckets, in their order, and returns how many there were and when the window ends.
INSERT INTO identity.attempt AS a (bucket, tries, ends_at)
SELECT b, 1, $3::timestamptz FROM unnest($1::bytea[]) AS b ORDER BY b
ON CONFLICT (bucket) DO UPDATE SET
    tries = CASE WHEN a.ends_at <= $2 THEN 1 ELSE a.tries + 1 END,
    ends_at = CASE WHEN a.ends_at <= $2 THEN $3 ELSE a.ends_at END
RETURNING a.bucket, a.tries, a.ends_at;

-- name: untry
-- Takes back what a try that succeeded has counted, all of it or one of it, in the order in which tries are counted.
UPDATE identity.attempt AS a SET tries = CASE WHEN b.whole THEN 0 ELSE greatest(a.tries - 1, 0) END
FROM (
    SELECT t.bucket, u.whole FROM identity.attempt AS t
    JOIN unnest($1::bytea[], $2::boolean[]) AS u (bucket, whole) ON u.bucket = t.bucket
    ORDER BY t.bucket FOR UPDATE OF t
) AS b WHERE a.bucket = b.bucket;

-- name: sweep_attempts
-- Forgets the tries of windows that are over.
DELETE FROM identity.attempt WHERE ends_at < $1;

-- name: sweep_links
-- Forgets links that were over long ago.
DELETE FROM identity.link WHERE expires_at < $1;

-- name: sweep_sessions
-- Forgets sessions that were over long ago.
DELETE FROM identity.session WHERE expires_at < $1 OR ended_at < $1;

-- name: sweep_devices
-- Forgets devices that nobody came back with.
DELETE FROM identity.device WHERE seen_at < $1;

-- name: forget_links
-- Forgets every link of these people.
DELETE FROM identity.link WHERE person_id = ANY ($1);
