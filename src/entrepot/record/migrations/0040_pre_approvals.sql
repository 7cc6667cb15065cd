-- Segregation of duties: limits, what was asked for beyond them and who decided it, and the change log of financial terms.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA approval;

-- From where on a deed takes two people: a refund or payout by its currency, a price by its market, a role by its name.
CREATE TABLE approval.threshold (
    kind text NOT NULL,
    scope text NOT NULL,
    above bigint NOT NULL,
    version integer NOT NULL,
    CONSTRAINT threshold_of_a_scope_is_one PRIMARY KEY (kind, scope),
    CONSTRAINT threshold_is_never_negative CHECK (above >= 0)
);

-- A deed that waits for somebody else's word, or had it. Who asked is a person, or nobody: the house itself.
CREATE TABLE approval.request (
    cell integer NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    about text NOT NULL,
    scope text NOT NULL,
    amount bigint NOT NULL,
    what text NOT NULL,
    digest bytea NOT NULL,
    state text NOT NULL,
    asked_by uuid,
    asked_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    decided_by uuid,
    decided_at timestamptz,
    why text NOT NULL DEFAULT '',
    applied_at timestamptz,
    version integer NOT NULL DEFAULT 1,
    CONSTRAINT approval_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT approval_state_is_known CHECK (state IN ('requested', 'approved', 'refused', 'expired', 'applied')),
    CONSTRAINT nobody_approves_what_they_asked_for CHECK (decided_by IS DISTINCT FROM asked_by OR decided_by IS NULL),
    CONSTRAINT decided_approval_says_by_whom_and_when
    CHECK ((decided_by IS NULL) = (decided_at IS NULL) AND (state NOT IN ('approved', 'refused', 'applied') OR decided_by IS NOT NULL)),
    CONSTRAINT applied_approval_says_when CHECK ((state = 'applied') = (applied_at IS NOT NULL))
);

CREATE UNIQUE INDEX one_open_approval_of_a_deed ON approval.request (cell, digest) WHERE state IN ('requested', 'approved');
CREATE INDEX approvals_by_state ON approval.request (cell, state, id);

-- Every change of what decides about money, taken from the log and kept when the log's own partitions are archived.
CREATE TABLE approval.change (
    cell integer NOT NULL,
    id uuid NOT NULL,
    at timestamptz NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    version integer NOT NULL,
    actor text NOT NULL,
    body jsonb NOT NULL,
    CONSTRAINT change_is_noted_once PRIMARY KEY (cell, id)
);

CREATE INDEX changes_of_a_key ON approval.change (cell, key, id);
