-- Privacy: which guests an e-mail address has been, who is to be forgotten and how far that is, certificates, restrictions.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Whom an order went to, findable by the blind index of the address: a guest has no account to be found by.
CREATE TABLE privacy.found_by (
    cell integer NOT NULL,
    subject uuid NOT NULL,
    order_id uuid NOT NULL,
    email_blind bytea NOT NULL,
    CONSTRAINT order_is_found_once PRIMARY KEY (cell, subject, order_id)
);

CREATE INDEX found_by_email ON privacy.found_by (email_blind);

-- An erasure and how far it is. What is searched for afterwards lies sealed under a key of the erasure's own, until it ends.
CREATE TABLE privacy.erasure (
    cell integer NOT NULL,
    id uuid NOT NULL,
    subject uuid NOT NULL,
    subjects uuid[] NOT NULL,
    state text NOT NULL,
    actor text NOT NULL,
    asked_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    erased_at timestamptz,
    ended_at timestamptz,
    log_position text NOT NULL DEFAULT '',
    orders uuid[] NOT NULL DEFAULT '{}',
    returns uuid[] NOT NULL DEFAULT '{}',
    known_sealed bytea,
    removed jsonb NOT NULL DEFAULT '{}',
    waits_for text NOT NULL DEFAULT '',
    CONSTRAINT erasure_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT erasure_state_is_known CHECK (state IN ('asked', 'withdrawn', 'erased', 'cleared', 'certified', 'found')),
    CONSTRAINT ended_erasure_says_when CHECK ((state IN ('withdrawn', 'certified')) = (ended_at IS NOT NULL)),
    CONSTRAINT ended_erasure_knows_nothing CHECK (ended_at IS NULL OR known_sealed IS NULL)
);

CREATE UNIQUE INDEX one_erasure_of_a_person_at_a_time ON privacy.erasure (cell, subject) WHERE state <> 'withdrawn';

CREATE TABLE privacy.certificate (
    cell integer NOT NULL,
    erasure_id uuid NOT NULL,
    subject uuid NOT NULL,
    at timestamptz NOT NULL,
    document text NOT NULL,
    signature bytea NOT NULL,
    CONSTRAINT certificate_is_of_a_scan PRIMARY KEY (cell, erasure_id, at)
);

CREATE INDEX certificates_of_a_person ON privacy.certificate (subject);

-- What certificates are signed with (Ed25519), sealed as a secret of the house; the public half is in the open.
CREATE TABLE privacy.signing_key (
    cell integer NOT NULL,
    public bytea NOT NULL,
    sealed bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_signing_key_of_a_cell PRIMARY KEY (cell)
);

-- Whose data may be kept, and used for nothing.
CREATE TABLE privacy.restriction (
    subject uuid NOT NULL,
    since timestamptz NOT NULL,
    by_whom text NOT NULL,
    CONSTRAINT restriction_of_a_person_is_one PRIMARY KEY (subject)
);
