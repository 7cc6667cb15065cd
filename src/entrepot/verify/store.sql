-- What was verified, and with what result.

-- name: add_verification
-- Notes a verification.
INSERT INTO log.verification (projection, generation, checked, differing, repaired, seconds, report)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb);
