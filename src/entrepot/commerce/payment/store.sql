-- name: payment
-- A payment as it stands.
SELECT id, gateway, reference, label, currency, authorized_minor, captured_minor, voided_minor, refunded_minor, disputed_minor,
       taking_minor, returning_minor, version
FROM payment.payment WHERE cell = $1 AND id = $2;

-- name: payment_for_update
-- Locks a payment and returns it as it stands.
SELECT id, gateway, reference, label, currency, authorized_minor, captured_minor, voided_minor, refunded_minor, disputed_minor,
       taking_minor, returning_minor, version
FROM payment.payment WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: put_payment
-- Writes the amounts of a payment as they now are; the caller holds its lock.
UPDATE payment.payment
SET captured_minor = $3, voided_minor = $4, refunded_minor = $5, disputed_minor = $6, taking_minor = $7, returning_minor = $8,
    version = $9
WHERE cell = $1 AND id = $2;

-- name: put_payments
-- Writes authorized payments with their events, and books what was captured at once.
SELECT payment.put_payments($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);

-- name: put_operation
-- Notes what will be asked of the gateway; the same id again is left as it is.
INSERT INTO payment.operation (cell, id, payment_id, kind, amount_minor, currency, state, about_id, asked_at)
VALUES ($1, $2, $3, $4, $5, $6, 'asked', $7, $8)
ON CONFLICT (cell, id) DO NOTHING;

-- name: operation
-- What was asked of the gateway, and what became of it.
SELECT id, payment_id, kind, amount_minor, currency, state, about_id, reason FROM payment.operation WHERE cell = $1 AND id = $2;

-- name: end_operation
-- Notes what became of what was asked.
UPDATE payment.operation SET state = $3, reason = $4, ended_at = $5 WHERE cell = $1 AND id = $2;

-- name: settle_operation
-- Notes what became of an operation that was unclear, and how much it moved.
UPDATE payment.operation SET state = $3, amount_minor = $4, reason = $5, ended_at = $6 WHERE cell = $1 AND id = $2;

-- name: unclear_operations
-- What the gateway did otherwise than was asked, the oldest first: a person decides.
SELECT id, payment_id, kind, amount_minor, currency, state, about_id, reason
FROM payment.operation WHERE cell = $1 AND state = 'unclear' ORDER BY id LIMIT $2;

-- name: operations_to_finish
-- What was asked of a gateway by a moment and has no answer yet, the oldest first.
SELECT o.id FROM payment.operation AS o
JOIN payment.payment AS p ON p.cell = o.cell AND p.id = o.payment_id
WHERE o.cell = $1 AND o.state = 'asked' AND p.gateway = $2 AND o.asked_at <= $3
ORDER BY o.id LIMIT $4;

-- name: operations
-- What was asked of the gateway for a payment, in that order.
SELECT id, payment_id, kind, amount_minor, currency, state, about_id, reason
FROM payment.operation WHERE cell = $1 AND payment_id = $2 ORDER BY id;

-- name: dispute
-- A dispute by our id.
SELECT id, gateway, reference, payment_id, state, amount_minor, currency, reason, evidence_due, evidence
FROM payment.dispute WHERE cell = $1 AND id = $2;

-- name: put_dispute
-- Writes a dispute as it now is; the caller holds the lock of its payment.
INSERT INTO payment.dispute (cell, id, gateway, reference, payment_id, state, amount_minor, currency, reason, evidence, evidence_due,
                             opened_at, decided_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, CASE WHEN $6 IN ('won', 'lost') THEN $12::timestamptz END)
ON CONFLICT (cell, id) DO UPDATE
SET state = excluded.state, amount_minor = excluded.amount_minor, decided_at = excluded.decided_at;

-- name: put_evidence
-- Notes what will be said against a dispute.
UPDATE payment.dispute SET evidence = $3 WHERE cell = $1 AND id = $2;

-- name: evidence_to_send
-- Disputes whose evidence was noted and did not reach the gateway yet.
SELECT id FROM payment.dispute WHERE cell = $1 AND gateway = $2 AND state = 'opened' AND evidence <> '' ORDER BY id LIMIT $3;

-- name: disputes
-- The newest disputes before an id, of one state or of any.
SELECT id, gateway, reference, payment_id, state, amount_minor, currency, reason, evidence_due, evidence
FROM payment.dispute WHERE cell = $1 AND ($2::uuid IS NULL OR id < $2) AND ($3::text = '' OR state = $3) ORDER BY id DESC LIMIT $4;

-- name: disputes_of_payment
-- The disputes of a payment.
SELECT id, gateway, reference, payment_id, state, amount_minor, currency, reason, evidence_due, evidence
FROM payment.dispute WHERE cell = $1 AND payment_id = $2 ORDER BY id;

-- name: keep_method
-- Keeps a method; one that is kept already stays whose it is.
INSERT INTO payment.method (cell, id, customer_id, gateway, token, label, kept_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (cell, gateway, token) DO NOTHING;

-- name: methods
-- The kept methods of a customer, the newest first.
SELECT id, customer_id, gateway, token, label, kept_at FROM payment.method WHERE cell = $1 AND customer_id = $2 ORDER BY id DESC;

-- name: method
-- A kept method.
SELECT id, customer_id, gateway, token, label, kept_at FROM payment.method WHERE cell = $1 AND id = $2;

-- name: forget_method
-- Forgets a kept method.
DELETE FROM payment.method WHERE cell = $1 AND id = $2;

-- name: take_in
-- Takes a webhook in, if it is new, and says whether its work is done.
WITH new AS (
    INSERT INTO payment.inbox (cell, provider, event_id, kind, received_at) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (cell, provider, event_id) DO NOTHING
)
SELECT coalesce((SELECT done_at IS NOT NULL FROM payment.inbox WHERE cell = $1 AND provider = $2 AND event_id = $3), false);

-- name: mark_done
-- Notes that a webhook's work is done.
UPDATE payment.inbox SET done_at = $4 WHERE cell = $1 AND provider = $2 AND event_id = $3;

-- name: prune_inbox
-- Forgets webhooks that were taken in before a moment, the oldest first: their signatures are long out of date.
DELETE FROM payment.inbox WHERE (cell, provider, event_id) IN (
    SELECT cell, provider, event_id FROM payment.inbox WHERE cell = $1 AND received_at < $2 ORDER BY received_at LIMIT $3
) RETURNING event_id;

-- name: put_transfers
-- Books transfers in the ledger, each under an id that follows from what it is about.
INSERT INTO ordering.transfer (cell, id, about_id, debit, credit, amount_minor, currency, booked_at, debit_party, credit_party)
SELECT $1::integer, t.id, $2::uuid, t.debit::ordering.account, t.credit::ordering.account, t.amount, $3::text, $4::timestamptz,
       t.debit_party, t.credit_party
FROM unnest($5::uuid[], $6::text[], $7::text[], $8::bigint[], $9::text[], $10::text[])
    AS t (id, debit, credit, amount, debit_party, credit_party);

-- name: put_payout
-- Notes a payout; one that is known is left as it is, and returns nothing.
INSERT INTO payment.payout (cell, id, gateway, reference, amount_minor, fee_minor, currency, paid_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (cell, gateway, reference) DO NOTHING RETURNING id;

-- name: settled
-- How far a gateway's report was read.
SELECT cursor FROM payment.settlement WHERE cell = $1 AND gateway = $2;

-- name: settle
-- Notes how far a gateway's report was read.
INSERT INTO payment.settlement (cell, gateway, cursor) VALUES ($1, $2, $3)
ON CONFLICT (cell, gateway) DO UPDATE SET cursor = excluded.cursor;
