-- Moves from one engine to another: which engine each generation lies in, and how far a move is.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- An engine that a move has named. While a role has a live one, it counts, and not what a process's environment says.
-- Without `url_sealed` it is the embedded one, of which `entrepot up` knows where it is.
CREATE TABLE log.engine (
    id uuid NOT NULL,
    role text NOT NULL,
    product text NOT NULL,
    address text NOT NULL,
    url_sealed bytea,
    one_writer boolean NOT NULL,
    live boolean NOT NULL,
    CONSTRAINT engine_is_unique PRIMARY KEY (id),
    CONSTRAINT engine_address_has_no_password CHECK (address !~ '@')
);

CREATE UNIQUE INDEX one_live_engine_per_role ON log.engine (role) WHERE live;

-- A generation's engine; none is what the environment names for its role, which no move has touched.
ALTER TABLE log.generation ADD COLUMN engine uuid;
ALTER TABLE log.generation ADD CONSTRAINT generation_lies_in_an_engine
    FOREIGN KEY (engine) REFERENCES log.engine (id) NOT VALID;

-- 'beside': in the other engine of a move, fed like the live one and read by nobody.
-- The constraint that is dropped comes back in the next line, one word longer: nobody relied on a state that is unknown.
-- squawk-ignore ban-drop-constraint
ALTER TABLE log.generation DROP CONSTRAINT generation_state_is_known;
ALTER TABLE log.generation ADD CONSTRAINT generation_state_is_known
    CHECK (state IN ('building', 'live', 'beside', 'retired', 'dropped')) NOT VALID;

-- Who moved a role from where to where. 'building' until readers are switched, again after they were switched back.
CREATE TABLE log.move (
    id uuid NOT NULL,
    role text NOT NULL,
    from_engine uuid NOT NULL,
    to_engine uuid NOT NULL,
    state text NOT NULL,
    began_by text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    switched_by text,
    switched_at timestamptz,
    ended_by text,
    ended_at timestamptz,
    proof json,
    CONSTRAINT move_is_unique PRIMARY KEY (id),
    CONSTRAINT move_state_is_known CHECK (state IN ('building', 'switched', 'finished', 'given_up')),
    CONSTRAINT move_leads_elsewhere CHECK (from_engine <> to_engine),
    CONSTRAINT move_is_switched_with_a_proof
        CHECK (state NOT IN ('switched', 'finished') OR (proof IS NOT NULL AND switched_at IS NOT NULL)),
    CONSTRAINT move_from_an_engine FOREIGN KEY (from_engine) REFERENCES log.engine (id),
    CONSTRAINT move_to_an_engine FOREIGN KEY (to_engine) REFERENCES log.engine (id)
);

CREATE UNIQUE INDEX one_move_under_way_per_role ON log.move (role) WHERE state IN ('building', 'switched');
