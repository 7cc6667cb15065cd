-- What retention must leave alone: legal holds that somebody has put, and what is under way by itself.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Somebody's data, or an order's, that is evidence: kept until the hold is lifted. The reference names the case, never a person.
CREATE TABLE privacy.legal_hold (
    about_id uuid NOT NULL,
    reference text NOT NULL,
    since timestamptz NOT NULL,
    by_whom text NOT NULL,
    CONSTRAINT held_under_a_case_once PRIMARY KEY (about_id, reference),
    CONSTRAINT hold_names_its_case CHECK (reference ~ '^[A-Za-z0-9][A-Za-z0-9./-]{1,59}$')
);

-- Says whether an order of somebody is held: by a case, a dispute that is not decided, a return that has not ended, an invoice
-- that is not settled.
CREATE FUNCTION privacy.is_held(of_cell integer, of_order uuid, of_whom uuid) RETURNS boolean
LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM privacy.legal_hold AS h WHERE h.about_id IN (of_order, of_whom))
    OR EXISTS (SELECT FROM payment.dispute AS d WHERE d.cell = of_cell AND d.payment_id = of_order AND d.decided_at IS NULL)
    OR EXISTS (SELECT FROM aftersale.return_case AS r WHERE r.cell = of_cell AND r.order_id = of_order AND r.ended_at IS NULL)
    OR EXISTS (SELECT FROM business.invoice AS i WHERE i.cell = of_cell AND i.order_id = of_order AND i.state NOT IN ('paid', 'credited'));
