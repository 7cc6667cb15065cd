-- Payments: what was promised, taken, given back and disputed; what is asked of the gateway, written before it is asked.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA payment;

-- A payment has the id of its checkout, which is the id of its order and the reference that the gateway knows it by.
-- `reference` is the gateway's own id of it. `taking_minor` and `returning_minor` are asked of the gateway and not yet answered:
-- they count as if they were done, so that what is asked at the same time never sums to more than there is.
-- The state is what the amounts say (rules.state_of says the same in Python; a test holds the two together).
CREATE TABLE payment.payment (
    cell integer NOT NULL,
    id uuid NOT NULL,
    gateway text NOT NULL,
    reference text NOT NULL,
    label text NOT NULL,
    currency text NOT NULL,
    authorized_minor bigint NOT NULL,
    captured_minor bigint NOT NULL DEFAULT 0,
    voided_minor bigint NOT NULL DEFAULT 0,
    refunded_minor bigint NOT NULL DEFAULT 0,
    disputed_minor bigint NOT NULL DEFAULT 0,
    taking_minor bigint NOT NULL DEFAULT 0,
    returning_minor bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL,
    state text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN captured_minor = 0 AND voided_minor = authorized_minor THEN 'voided'
             WHEN captured_minor = 0 THEN 'authorized'
             WHEN refunded_minor = captured_minor AND captured_minor + voided_minor = authorized_minor THEN 'refunded'
             WHEN refunded_minor > 0 THEN 'part_refunded'
             WHEN captured_minor + voided_minor = authorized_minor THEN 'captured'
             ELSE 'part_captured' END
    ) STORED,
    CONSTRAINT one_payment_per_checkout PRIMARY KEY (cell, id),
    CONSTRAINT authorized_is_positive CHECK (authorized_minor > 0),
    CONSTRAINT payment_amounts_never_negative CHECK (
        captured_minor >= 0 AND voided_minor >= 0 AND refunded_minor >= 0 AND disputed_minor >= 0 AND taking_minor >= 0
        AND returning_minor >= 0
    ),
    CONSTRAINT captured_within_authorized CHECK (captured_minor + voided_minor + taking_minor <= authorized_minor),
    CONSTRAINT refunded_within_captured CHECK (refunded_minor + disputed_minor + returning_minor <= captured_minor)
) PARTITION BY RANGE (id);

-- What is asked of the gateway: written and committed before it is asked, under the key that makes it happen once.
-- 'unclear': the gateway answered something else than was asked; the amount stays set aside until a person has looked.
CREATE TABLE payment.operation (
    cell integer NOT NULL,
    id uuid NOT NULL,
    payment_id uuid NOT NULL,
    kind text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    state text NOT NULL,
    about_id uuid NOT NULL,
    reason text NOT NULL DEFAULT '',
    asked_at timestamptz NOT NULL,
    ended_at timestamptz,
    CONSTRAINT operation_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT operation_kind_is_known CHECK (kind IN ('capture', 'void', 'refund')),
    CONSTRAINT operation_state_is_known CHECK (state IN ('asked', 'done', 'failed', 'unclear')),
    CONSTRAINT operation_amount_is_positive CHECK (amount_minor > 0),
    CONSTRAINT operation_ends_when_it_is_answered CHECK ((state = 'asked') = (ended_at IS NULL))
) PARTITION BY RANGE (id);

-- A partitioned table cannot be indexed concurrently; its partitions are a month each.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX operations_of_a_payment ON payment.operation (cell, payment_id);
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX operations_to_finish ON payment.operation (cell, id) WHERE state = 'asked';

CREATE TABLE payment.dispute (
    cell integer NOT NULL,
    id uuid NOT NULL,
    gateway text NOT NULL,
    reference text NOT NULL,
    payment_id uuid NOT NULL,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    reason text NOT NULL,
    evidence text NOT NULL DEFAULT '',
    evidence_due timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    decided_at timestamptz,
    CONSTRAINT dispute_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT dispute_is_known_once UNIQUE (cell, gateway, reference),
    CONSTRAINT dispute_state_is_known CHECK (state IN ('opened', 'evidence_sent', 'won', 'lost')),
    CONSTRAINT dispute_amount_is_positive CHECK (amount_minor > 0),
    CONSTRAINT decided_dispute_says_when CHECK ((state IN ('won', 'lost')) = (decided_at IS NOT NULL))
);

CREATE INDEX disputes_of_a_payment ON payment.dispute (cell, payment_id);

-- A kept method: the gateway's token for charges without the buyer. Never a card number, nor a part of one.
CREATE TABLE payment.method (
    cell integer NOT NULL,
    id uuid NOT NULL,
    customer_id uuid NOT NULL,
    gateway text NOT NULL,
    token text NOT NULL,
    label text NOT NULL,
    kept_at timestamptz NOT NULL,
    CONSTRAINT method_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT method_is_kept_once UNIQUE (cell, gateway, token)
);

CREATE INDEX methods_of_a_customer ON payment.method (cell, customer_id);

-- What reached the bank, less what the gateway kept.
CREATE TABLE payment.payout (
    cell integer NOT NULL,
    id uuid NOT NULL,
    gateway text NOT NULL,
    reference text NOT NULL,
    amount_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    currency text NOT NULL,
    paid_at timestamptz NOT NULL,
    CONSTRAINT payout_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT payout_is_booked_once UNIQUE (cell, gateway, reference),
    CONSTRAINT payout_amounts_are_positive CHECK (amount_minor > 0 AND fee_minor >= 0)
);

-- Webhooks that were taken in: unique before any work is done for them.
CREATE TABLE payment.inbox (
    cell integer NOT NULL,
    provider text NOT NULL,
    event_id text NOT NULL,
    kind text NOT NULL,
    received_at timestamptz NOT NULL,
    done_at timestamptz,
    CONSTRAINT webhook_is_taken_in_once PRIMARY KEY (cell, provider, event_id)
);

-- How far a gateway's own report was read for payouts.
CREATE TABLE payment.settlement (
    cell integer NOT NULL,
    gateway text NOT NULL,
    cursor text NOT NULL,
    CONSTRAINT one_settlement_per_gateway PRIMARY KEY (cell, gateway)
);

-- Writes authorized payments with their events, for the checkouts that are placed in this transaction (the hot path calls it).
-- What was captured at once is an operation that is done, under the payment's own id, and is booked.
CREATE FUNCTION payment.put_payments(
    in_cell integer, stamp bigint, acting text, at timestamptz,
    ids uuid[], gateways text[], refs text[], labels text[], currencies text[], authorized bigint[], captured bigint[],
    event_ids uuid[], capture_event_ids uuid[], transfer_ids uuid[]
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payment.payment (cell, id, gateway, reference, label, currency, authorized_minor, captured_minor, version)
    SELECT in_cell, p.id, p.gateway, p.reference, p.label, p.currency, p.authorized, p.captured,
           CASE WHEN p.captured > 0 THEN 2 ELSE 1 END
    FROM unnest(ids, gateways, refs, labels, currencies, authorized, captured)
        AS p (id, gateway, reference, label, currency, authorized, captured);

    INSERT INTO log.event (cell, id, at, kind, key, version, body, actor)
    SELECT in_cell, p.event_id, stamp, 'payment.authorized.v1', 'payment/' || p.id, 1,
           jsonb_build_object('id', p.id, 'gateway', p.gateway, 'currency', p.currency, 'state', 'authorized',
                              'amount_minor', p.authorized, 'authorized_minor', p.authorized), acting
    FROM unnest(ids, gateways, currencies, authorized, event_ids) AS p (id, gateway, currency, authorized, event_id);

    IF EXISTS (SELECT FROM unnest(captured) AS c (captured) WHERE c.captured > 0) THEN
        INSERT INTO payment.operation (cell, id, payment_id, kind, amount_minor, currency, state, about_id, asked_at, ended_at)
        SELECT in_cell, p.id, p.id, 'capture', p.captured, p.currency, 'done', p.id, at, at
        FROM unnest(ids, captured, currencies) AS p (id, captured, currency) WHERE p.captured > 0;

        INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at, debit_party)
        SELECT in_cell, p.transfer_id, p.id, 'gateway', 'receivable', p.captured, p.currency, at, p.gateway
        FROM unnest(ids, captured, currencies, gateways, transfer_ids) AS p (id, captured, currency, gateway, transfer_id)
        WHERE p.captured > 0;

        INSERT INTO log.event (cell, id, at, kind, key, version, body, actor)
        SELECT in_cell, p.event_id, stamp, 'payment.captured.v1', 'payment/' || p.id, 2,
               jsonb_build_object('id', p.id, 'gateway', p.gateway, 'currency', p.currency,
                                  'state', CASE WHEN p.captured = p.authorized THEN 'captured' ELSE 'part_captured' END,
                                  'amount_minor', p.captured, 'authorized_minor', p.authorized, 'captured_minor', p.captured,
                                  'operation_id', p.id), acting
        FROM unnest(ids, gateways, currencies, authorized, captured, capture_event_ids)
            AS p (id, gateway, currency, authorized, captured, event_id)
        WHERE p.captured > 0;
    END IF;
END
$$;
