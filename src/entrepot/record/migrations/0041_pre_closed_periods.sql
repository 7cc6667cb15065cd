-- Periods of the ledger that are closed: nothing is booked into them, changed or taken out of them any more.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA closing;

-- One month of one cell. Between 'closing' and 'closed' nothing can be booked, and the trial balance is drawn.
CREATE TABLE closing.period (
    cell integer NOT NULL,
    period text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    state text NOT NULL,
    transfers bigint NOT NULL DEFAULT 0,
    balance text NOT NULL DEFAULT '',
    digest bytea,
    closed_at timestamptz,
    version integer NOT NULL,
    CONSTRAINT period_is_one_of_its_month PRIMARY KEY (cell, period),
    CONSTRAINT period_is_a_month CHECK (period ~ '^[0-9]{4}-(0[1-9]|1[0-2])$' AND since < until),
    CONSTRAINT period_state_is_known CHECK (state IN ('closing', 'closed', 'reopened')),
    CONSTRAINT closed_period_has_its_balance CHECK (state <> 'closed' OR (digest IS NOT NULL AND closed_at IS NOT NULL))
);

-- Refuses, once a statement, what a closed month would change by. SQLSTATE EP001 says to the application: tell this sentence.
CREATE FUNCTION closing.refuse_closed() RETURNS trigger
LANGUAGE plpgsql
AS $$
DECLARE
    shut text;
BEGIN
    SELECT p.period INTO shut FROM closing.period AS p
    WHERE p.state <> 'reopened' AND EXISTS (
        SELECT FROM touched AS t WHERE t.cell = p.cell AND t.booked_at >= p.since AND t.booked_at < p.until
    ) LIMIT 1;
    IF shut IS NOT NULL THEN
        RAISE EXCEPTION 'The books of % are closed: book it into an open month, or have the month reopened.', shut
            USING ERRCODE = 'EP001', CONSTRAINT = 'closed_period_stays_as_it_is';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER closed_period_takes_no_transfer AFTER INSERT ON ordering.transfer
REFERENCING NEW TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION closing.refuse_closed();
CREATE TRIGGER closed_period_changes_no_transfer AFTER UPDATE ON ordering.transfer
REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION closing.refuse_closed();
CREATE TRIGGER closed_period_loses_no_transfer AFTER DELETE ON ordering.transfer
REFERENCING OLD TABLE AS touched FOR EACH STATEMENT EXECUTE FUNCTION closing.refuse_closed();
