-- What is known of people. Moments are given: the database's clock decides nothing.
-- name: add_person
-- Adds a person, or a service account.
INSERT INTO identity.person (id, cell, kind, state, language, created_at, verified_at)
VALUES ($1, $2, $3, $4, $5, $6::timestamptz, CASE WHEN $4 = 'active' THEN $6::timestamptz END);

-- name: person_for_update
-- Returns a person as a command finds it, locked.
SELECT p.id, p.kind, p.state, p.language, p.market, p.currency, p.region, p.version,
    ARRAY(SELECT m.role || ' ' || m.tenant FROM identity.membership AS m WHERE m.person_id = p.id ORDER BY 1) AS memberships
FROM identity.person AS p WHERE p.id = $1 FOR UPDATE OF p;

-- name: next_version
-- Counts the versions of a person up by one, for the event about to be told.
UPDATE identity.person SET version = version + 1 WHERE id = $1 RETURNING version;

-- name: set_state
-- Sets a person's state; who is active for the first time is verified by it.
UPDATE identity.person
SET state = $2, verified_at = CASE WHEN $2 = 'active' THEN coalesce(verified_at, $3) ELSE verified_at END
WHERE id = $1;

-- name: set_profile
-- Sets what somebody tells of themselves.
UPDATE identity.person
SET name_sealed = $2, phone_sealed = $3, phone_blind = $4, language = $5, market = $6, currency = $7
WHERE id = $1;

-- name: set_region
-- Sets the region whose law says where somebody's rows may lie.
UPDATE identity.person SET region = $2 WHERE id = $1;

-- name: residence
-- In which region a cell is, and people of which it may hold.
SELECT region, takes FROM identity.residence WHERE cell = $1;

-- name: set_residence
-- Says in which region a cell is; with none, it holds everybody.
WITH left_behind AS (DELETE FROM identity.residence WHERE cell = $1 AND $2 = '')
INSERT INTO identity.residence (cell, region, takes) SELECT $1, $2, $3 WHERE $2 <> ''
ON CONFLICT (cell) DO UPDATE SET region = excluded.region, takes = excluded.takes;

-- name: count_elsewhere
-- How many people of a cell are of none of these regions.
SELECT count(*) FROM identity.person WHERE cell = $1 AND region <> '' AND region <> ALL ($2::text[]);

-- name: add_login
-- Says what somebody signs in as; says whether the address was nobody's.
INSERT INTO identity.login (person_id, email_sealed, email_blind) VALUES ($1, $2, $3)
ON CONFLICT DO NOTHING RETURNING person_id;

-- name: change_login
-- Changes what somebody signs in as, unless it is somebody else's.
UPDATE identity.login AS l SET email_sealed = $2, email_blind = $3
WHERE l.person_id = $1 AND NOT EXISTS (SELECT FROM identity.login AS o WHERE o.email_blind = $3 AND o.person_id <> $1)
RETURNING l.person_id;

-- name: person_by_email
-- Returns who signs in by an address, and in which state they are.
SELECT l.person_id, p.state FROM identity.login AS l JOIN identity.person AS p ON p.id = l.person_id WHERE l.email_blind = $1;

-- name: grant_role
-- Gives a role; says whether it was not held.
INSERT INTO identity.membership (person_id, role, tenant, granted_at, granted_by) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING RETURNING person_id;

-- name: revoke_role
-- Takes a role; says whether it was held.
DELETE FROM identity.membership WHERE person_id = $1 AND role = $2 AND tenant = $3 RETURNING person_id;

-- name: give_consent
-- Notes a consent, unless the same is given.
INSERT INTO identity.consent (id, person_id, purpose, text_version, how, given_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (person_id, purpose) WHERE withdrawn_at IS NULL DO NOTHING RETURNING id;

-- name: withdraw_consent
-- Notes that a consent is withdrawn; returns the version of the text that it was given to.
UPDATE identity.consent SET withdrawn_at = $3, withdrawn_how = $4
WHERE person_id = $1 AND purpose = $2 AND withdrawn_at IS NULL RETURNING text_version;

-- name: given_consent
-- Returns the version of the text that somebody agrees to.
SELECT text_version FROM identity.consent WHERE person_id = $1 AND purpose = $2 AND withdrawn_at IS NULL;

-- name: count_addresses
-- Counts somebody's addresses.
SELECT count(*) FROM identity.address WHERE person_id = $1;

-- name: no_usual_address
-- Makes none of somebody's addresses the usual one.
UPDATE identity.address SET usual = false WHERE person_id = $1 AND usual;

-- name: put_address
-- Adds an address or changes it.
INSERT INTO identity.address (id, person_id, country, address_sealed, usual, created_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE SET country = $3, address_sealed = $4, usual = $5 WHERE address.person_id = $2
RETURNING id;

-- name: has_address
-- Says whether an address is somebody's.
SELECT true FROM identity.address WHERE id = $2 AND person_id = $1;

-- name: remove_address
-- Forgets an address.
DELETE FROM identity.address WHERE id = $2 AND person_id = $1 RETURNING id;

-- name: write_letter
-- Writes a letter down to be sent, unless so many about the same were written of late.
INSERT INTO identity.letter (id, person_id, about, email_sealed, created_at, next_at, asked_hash)
SELECT $1, $2, $3, $4, $5::timestamptz, $5::timestamptz, $7
WHERE (
    SELECT count(*) FROM identity.letter
    WHERE person_id = $2 AND about = $3 AND created_at > $5::timestamptz - interval '1 hour'
) < $6;

-- name: due_letters
-- Returns letters that are due, and to whom they go.
SELECT t.id, t.person_id, t.about, t.email_sealed, t.tries, t.created_at, l.email_sealed AS login_sealed, p.language,
    t.asked_hash
FROM identity.letter AS t
JOIN identity.person AS p ON p.id = t.person_id
JOIN identity.login AS l ON l.person_id = t.person_id
WHERE t.sent_at IS NULL AND t.next_at <= $1
ORDER BY t.next_at LIMIT $2;

-- name: letter_sent
-- Notes that a letter was sent, or given up.
UPDATE identity.letter SET sent_at = $2, tries = tries + 1 WHERE id = $1;

-- name: letter_later
-- Notes that a letter could not be sent, and when it is tried again.
UPDATE identity.letter SET next_at = $2, tries = tries + 1 WHERE id = $1;

-- name: sweep_unverified
-- Returns people who never confirmed their address and are old enough to be forgotten.
SELECT id FROM identity.person WHERE state = 'unverified' AND created_at < $1 LIMIT 500;

-- name: forget_login
-- Forgets what somebody signs in as.
DELETE FROM identity.login WHERE person_id = ANY ($1);

-- name: forget_letters
-- Forgets letters to these people.
DELETE FROM identity.letter WHERE person_id = ANY ($1);

-- name: sweep_letters
-- Forgets letters that were sent long ago.
DELETE FROM identity.letter WHERE sent_at < $1;
