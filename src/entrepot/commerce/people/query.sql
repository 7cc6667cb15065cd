-- What is asked about people, from the truth; reads only.
-- name: profile
-- Returns what is known of somebody.
SELECT p.id, p.kind, p.state, p.name_sealed, p.phone_sealed, p.language, p.market, p.currency, p.region, p.created_at, p.verified_at,
    l.email_sealed,
    EXISTS (SELECT FROM identity.password AS w WHERE w.person_id = p.id) AS has_password,
    EXISTS (SELECT FROM identity.totp AS t WHERE t.person_id = p.id AND t.confirmed_at IS NOT NULL) AS has_totp,
    (SELECT count(*) FROM identity.recovery_code AS r WHERE r.person_id = p.id AND r.used_at IS NULL) AS recovery_codes,
    ARRAY(SELECT x.provider FROM identity.external_login AS x WHERE x.person_id = p.id ORDER BY 1) AS providers,
    ARRAY(SELECT m.role || ' ' || m.tenant FROM identity.membership AS m WHERE m.person_id = p.id ORDER BY 1) AS memberships
FROM identity.person AS p LEFT JOIN identity.login AS l ON l.person_id = p.id
WHERE p.id = $1;

-- name: people
-- Returns people by id; with a role, those who hold it.
SELECT p.id, p.kind, p.state, p.created_at, l.email_sealed,
    ARRAY(SELECT m.role || ' ' || m.tenant FROM identity.membership AS m WHERE m.person_id = p.id ORDER BY 1) AS memberships
FROM identity.person AS p LEFT JOIN identity.login AS l ON l.person_id = p.id
WHERE p.id > $1 AND ($2 = '' OR EXISTS (SELECT FROM identity.membership AS m WHERE m.person_id = p.id AND m.role = $2))
ORDER BY p.id LIMIT $3;

-- name: addresses
-- Returns somebody's addresses, the usual one first.
SELECT id, usual, address_sealed FROM identity.address WHERE person_id = $1 ORDER BY usual DESC, created_at;

-- name: consents
-- Returns what somebody agreed to, the last first.
SELECT purpose, text_version, how, given_at, withdrawn_at, withdrawn_how FROM identity.consent
WHERE person_id = $1 ORDER BY given_at DESC, id DESC LIMIT 500;

-- name: passkeys
-- Returns somebody's passkeys.
SELECT id, backed_up, created_at, used_at FROM identity.passkey WHERE person_id = $1 ORDER BY created_at;

-- name: keys
-- Returns somebody's API keys that are good.
SELECT id, label, prefix, scopes, created_at, expires_at, used_at FROM identity.api_key
WHERE person_id = $1 AND ended_at IS NULL AND expires_at > $2 ORDER BY created_at;

-- name: id_by_email
-- Returns who signs in by an address.
SELECT person_id FROM identity.login WHERE email_blind = $1;
