-- name: put_zone
-- Writes a zone as it now is, and returns its version.
INSERT INTO shipping.zone AS z (code, definition, version) VALUES ($1, $2::text::jsonb, 1)
ON CONFLICT (code) DO UPDATE SET definition = excluded.definition, version = z.version + 1
RETURNING version;

-- name: zones
-- Every zone.
SELECT definition FROM shipping.zone ORDER BY code;

-- name: put_method
-- Writes a method as it now is since a moment, and returns its version.
INSERT INTO shipping.method AS m (code, definition, active, since, version) VALUES ($1, $2::text::jsonb, $3, $4::timestamptz, 1)
ON CONFLICT (code) DO UPDATE SET definition = excluded.definition, active = excluded.active, since = excluded.since,
    version = m.version + 1
RETURNING version;

-- name: methods
-- Every method, offered or not.
SELECT definition FROM shipping.method ORDER BY code;
