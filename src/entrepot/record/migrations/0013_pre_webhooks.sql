-- Events out: who subscribes to what, how far each has been told, and what of it could not be delivered.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA webhook;

-- The log is the queue: a subscriber has a position in it. `resting_until` and `failures` are those of a subscriber who does not answer at all.
CREATE TABLE webhook.endpoint (
    cell integer NOT NULL,
    id uuid NOT NULL,
    url text NOT NULL,
    secret text NOT NULL,
    kinds text[] NOT NULL,
    state text NOT NULL DEFAULT 'active',
    why text NOT NULL DEFAULT '',
    txid bigint NOT NULL,
    seq bigint NOT NULL,
    delivered bigint NOT NULL DEFAULT 0,
    delivered_at timestamptz,
    failures integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    resting_until timestamptz,
    version bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT endpoint_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT endpoint_state_is_known CHECK (state IN ('active', 'paused', 'disabled')),
    CONSTRAINT endpoint_wants_something CHECK (cardinality(kinds) > 0)
) WITH (fillfactor = 70);

-- An event that its subscriber refused (`tries` > 0), and those of the same key that wait behind it, in the log's order.
CREATE TABLE webhook.parked (
    cell integer NOT NULL,
    endpoint_id uuid NOT NULL,
    txid bigint NOT NULL,
    seq bigint NOT NULL,
    event_id uuid NOT NULL,
    key text NOT NULL,
    kind text NOT NULL,
    message text NOT NULL,
    state text NOT NULL DEFAULT 'waiting',
    tries integer NOT NULL DEFAULT 0,
    error text NOT NULL DEFAULT '',
    first_at timestamptz NOT NULL DEFAULT now(),
    next_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT event_is_parked_once PRIMARY KEY (cell, endpoint_id, txid, seq),
    CONSTRAINT parked_for_an_endpoint FOREIGN KEY (cell, endpoint_id) REFERENCES webhook.endpoint (cell, id) ON DELETE CASCADE,
    CONSTRAINT parked_state_is_known CHECK (state IN ('waiting', 'dead'))
);

CREATE INDEX parked_by_key ON webhook.parked (cell, endpoint_id, key, txid, seq) WHERE state = 'waiting';
CREATE INDEX parked_and_due ON webhook.parked (cell, next_at) WHERE state = 'waiting';
