-- The keys that personal data is sealed under: ring keys, wrapped by a key outside; a key per person, wrapped by a ring key.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA privacy;

-- A few keys, opened at start. `person` wraps the keys of persons; `blind` is what e-mails and phones are looked up by.
CREATE TABLE privacy.ring_key (
    id integer GENERATED ALWAYS AS IDENTITY,
    purpose text NOT NULL,
    state text NOT NULL,
    wrapped_by text NOT NULL,
    wrapped bytea,
    made_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    CONSTRAINT ring_key_id_is_unique PRIMARY KEY (id),
    CONSTRAINT ring_key_purpose_is_known CHECK (purpose IN ('person', 'blind')),
    CONSTRAINT ring_key_state_is_known CHECK (state IN ('active', 'retiring', 'retired')),
    CONSTRAINT retired_ring_key_is_no_longer_held CHECK ((state = 'retired') = (wrapped IS NULL))
);
CREATE UNIQUE INDEX one_active_ring_key_per_purpose ON privacy.ring_key (purpose) WHERE state = 'active';

-- One key per subject: a person, a guest, or the house itself (the nil UUID). A destroyed one leaves its row, so that nobody
-- makes it again; what was sealed under it is noise from then on.
CREATE TABLE privacy.person_key (
    subject uuid NOT NULL,
    ring_key_id integer NOT NULL,
    wrapped bytea,
    made_at timestamptz NOT NULL DEFAULT now(),
    destroyed_at timestamptz,
    CONSTRAINT one_key_per_subject PRIMARY KEY (subject),
    CONSTRAINT person_key_under_a_ring_key FOREIGN KEY (ring_key_id) REFERENCES privacy.ring_key (id),
    CONSTRAINT destroyed_key_is_gone CHECK ((destroyed_at IS NULL) = (wrapped IS NOT NULL))
);
CREATE INDEX person_keys_of_a_ring_key ON privacy.person_key (ring_key_id, subject) WHERE wrapped IS NOT NULL;
