-- What a reconciliation reads of our own books; reads only.

-- name: payments
-- Our payments of these ids.
SELECT id, gateway, reference, label, currency, authorized_minor, captured_minor, voided_minor, refunded_minor, disputed_minor,
       taking_minor, returning_minor, version
FROM payment.payment WHERE cell = $1 AND gateway = $2 AND id = ANY ($3::uuid[]);

-- name: payments_after
-- Our payments after an id.
SELECT id FROM payment.payment WHERE cell = $1 AND gateway = $2 AND id > $3 ORDER BY id LIMIT $4;

-- name: operations
-- Our operations of these ids.
SELECT id, payment_id, kind, amount_minor, currency, state, about_id, reason
FROM payment.operation WHERE cell = $1 AND id = ANY ($2::uuid[]);

-- name: done_after
-- Our captures and refunds that are done, after an id.
SELECT o.id, o.payment_id, o.kind, o.amount_minor, o.currency, o.state, o.about_id, o.reason
FROM payment.operation AS o
JOIN payment.payment AS p ON p.cell = o.cell AND p.id = o.payment_id
WHERE o.cell = $1 AND p.gateway = $2 AND o.id > $3 AND o.state = 'done' AND o.kind <> 'void' ORDER BY o.id LIMIT $4;

-- name: lost
-- Our lost disputes of a gateway.
SELECT reference, amount_minor, currency FROM payment.dispute WHERE cell = $1 AND gateway = $2 AND state = 'lost';

-- name: payouts
-- Our payouts of a gateway.
SELECT reference, amount_minor + fee_minor AS amount_minor, currency FROM payment.payout WHERE cell = $1 AND gateway = $2;

-- name: balances
-- What the ledger says that the gateway holds for us, by currency.
SELECT currency, sum(CASE WHEN debit = 'gateway' THEN amount_minor ELSE -amount_minor END)::bigint AS balance_minor
FROM ordering.transfer
WHERE cell = $1 AND (debit = 'gateway' AND debit_party = $2 OR credit = 'gateway' AND credit_party = $2)
GROUP BY currency;
