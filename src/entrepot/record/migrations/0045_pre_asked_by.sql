-- Who asked for a letter: its link is good for the one who did, and for nobody else who comes to read it.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

ALTER TABLE identity.letter ADD COLUMN asked_hash bytea;
ALTER TABLE identity.link ADD COLUMN asked_hash bytea;
