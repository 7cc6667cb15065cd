-- The rules of retention: what of a cell ($1) ended before a moment ($2; $3 is the lowest id of it) is deleted or emptied, so many
-- rows ($4) at a time, but for what is held. A rule's statements are named after it; each returns the subjects that it parts with.
-- name: orders_contacts
-- Whom orders went to, and by which address they are found.
WITH due AS (
    SELECT c.cell, c.order_id FROM ordering.contact AS c JOIN ordering.orders AS o ON o.cell = c.cell AND o.id = c.order_id
    WHERE c.cell = $1 AND c.order_id < $3 AND o.placed_at < $2::timestamptz
        AND NOT privacy.is_held(c.cell, c.order_id, coalesce(o.customer_id, c.subject))
    ORDER BY c.order_id LIMIT $4
), found_by AS (
    DELETE FROM privacy.found_by AS f USING due AS d WHERE f.cell = d.cell AND f.order_id = d.order_id
)
DELETE FROM ordering.contact AS c USING due AS d WHERE c.cell = d.cell AND c.order_id = d.order_id RETURNING c.subject;

-- name: orders_cards
-- What cards of theirs were called.
UPDATE payment.payment SET label = '' WHERE (cell, id) IN (
    SELECT p.cell, p.id FROM payment.payment AS p JOIN ordering.orders AS o ON o.cell = p.cell AND o.id = p.id
    WHERE p.cell = $1 AND p.id < $3 AND p.label <> '' AND o.placed_at < $2::timestamptz
        AND NOT privacy.is_held(p.cell, p.id, o.customer_id) ORDER BY p.id LIMIT $4
) RETURNING NULL::uuid AS subject;

-- name: orders_tracking
-- Under which number their parcels could be followed.
UPDATE fulfilment.shipment SET tracking = '' WHERE (cell, id) IN (
    SELECT s.cell, s.id FROM fulfilment.shipment AS s JOIN ordering.orders AS o ON o.cell = s.cell AND o.id = s.order_id
    WHERE s.cell = $1 AND s.order_id < $3 AND s.tracking <> '' AND o.placed_at < $2::timestamptz
        AND NOT privacy.is_held(s.cell, s.order_id, o.customer_id) ORDER BY s.id LIMIT $4
) RETURNING NULL::uuid AS subject;

-- name: orders_parcels
-- Parcels that carriers took, whose numbers say where they went.
DELETE FROM fulfilment.parcel WHERE (cell, shipment_id) IN (
    SELECT s.cell, s.shipment_id FROM fulfilment.parcel AS s JOIN ordering.orders AS o ON o.cell = s.cell AND o.id = s.order_id
    WHERE s.cell = $1 AND s.order_id < $3 AND o.placed_at < $2::timestamptz
        AND NOT privacy.is_held(s.cell, s.order_id, o.customer_id) ORDER BY s.shipment_id LIMIT $4
) RETURNING NULL::uuid AS subject;

-- name: orders_licences
-- Licences that they were handed.
DELETE FROM digital.licence WHERE (cell, variant_id, code) IN (
    SELECT l.cell, l.variant_id, l.code FROM digital.licence AS l JOIN ordering.orders AS o ON o.cell = l.cell AND o.id = l.order_id
    WHERE l.cell = $1 AND l.order_id < $3 AND o.placed_at < $2::timestamptz
        AND NOT privacy.is_held(l.cell, l.order_id, o.customer_id) ORDER BY l.order_id LIMIT $4
) RETURNING NULL::uuid AS subject;

-- name: orders_purchases
-- For whom a company's purchases were, and what was written to them.
UPDATE business.purchase SET contact_sealed = NULL, request = jsonb_set(request, '{contact}', 'null'), why = '', purchase_order = ''
WHERE (cell, id) IN (
    SELECT p.cell, p.id FROM business.purchase AS p
    WHERE p.cell = $1 AND p.id < $3 AND p.asked_at < $2::timestamptz AND p.state <> 'pending'
        AND (p.contact_sealed IS NOT NULL OR p.why <> '' OR p.purchase_order <> '')
        AND NOT privacy.is_held(p.cell, p.order_id, p.buyer_id) ORDER BY p.id LIMIT $4
) RETURNING NULL::uuid AS subject;

-- name: orders_cancelled_for
-- Why they were cancelled.
UPDATE ordering.orders SET cancelled_for = '' WHERE (cell, id) IN (
    SELECT o.cell, o.id FROM ordering.orders AS o
    WHERE o.cell = $1 AND o.id < $3 AND o.placed_at < $2::timestamptz AND o.cancelled_for <> ''
        AND NOT privacy.is_held(o.cell, o.id, o.customer_id) ORDER BY o.id LIMIT $4
) RETURNING NULL::uuid AS subject;

-- name: orders_charges
-- What was written to what they were charged.
UPDATE ordering.charge SET note = '' WHERE (cell, order_id, charge) IN (
    SELECT c.cell, c.order_id, c.charge FROM ordering.charge AS c JOIN ordering.orders AS o ON o.cell = c.cell AND o.id = c.order_id
    WHERE c.cell = $1 AND c.order_id < $3 AND c.note <> '' AND o.placed_at < $2::timestamptz
        AND NOT privacy.is_held(c.cell, c.order_id, o.customer_id) ORDER BY c.order_id LIMIT $4
) RETURNING NULL::uuid AS subject;

-- name: orders_return_charges
-- What was written to what they were given back.
UPDATE ordering.return_charge SET note = '' WHERE (cell, return_id, charge) IN (
    SELECT c.cell, c.return_id, c.charge FROM ordering.return_charge AS c
    JOIN ordering.returns AS r ON r.cell = c.cell AND r.id = c.return_id
    WHERE c.cell = $1 AND c.return_id < $3 AND c.note <> '' AND r.returned_at < $2::timestamptz
        AND NOT privacy.is_held(c.cell, r.order_id, r.customer_id) ORDER BY c.return_id LIMIT $4
) RETURNING NULL::uuid AS subject;

-- name: orders_return_cases
-- What was written to returns.
UPDATE aftersale.return_case SET note = '' WHERE (cell, id) IN (
    SELECT r.cell, r.id FROM aftersale.return_case AS r
    WHERE r.cell = $1 AND r.id < $3 AND r.note <> '' AND r.ended_at < $2::timestamptz
        AND NOT privacy.is_held(r.cell, r.order_id, r.customer_id) ORDER BY r.id LIMIT $4
) RETURNING NULL::uuid AS subject;

-- name: orders_negotiation_rounds
-- What was written to offers.
UPDATE business.negotiation_round SET note = '' WHERE (cell, negotiation_id, round) IN (
    SELECT n.cell, n.negotiation_id, n.round FROM business.negotiation_round AS n
    WHERE n.cell = $1 AND n.negotiation_id < $3 AND n.note <> '' AND n.at < $2::timestamptz ORDER BY n.negotiation_id LIMIT $4
) RETURNING NULL::uuid AS subject;

-- name: invoices_settled
-- Invoices that are settled, with what settled them.
WITH due AS (
    SELECT i.cell, i.id FROM business.invoice AS i
    WHERE i.cell = $1 AND i.id < $3 AND i.issued_at < $2::timestamptz AND NOT privacy.is_held(i.cell, i.order_id, i.company_id)
    ORDER BY i.id LIMIT $4
), settled AS (
    DELETE FROM business.settlement AS s USING due AS d WHERE s.cell = d.cell AND s.invoice_id = d.id
), noted AS (
    DELETE FROM business.credit_note AS n USING due AS d WHERE n.cell = d.cell AND n.invoice_id = d.id
)
DELETE FROM business.invoice AS i USING due AS d WHERE i.cell = d.cell AND i.id = d.id RETURNING NULL::uuid AS subject;

-- name: invoices_receipts
-- Receipts of money of which nothing is left to settle with.
DELETE FROM business.receipt WHERE (cell, id) IN (
    SELECT r.cell, r.id FROM business.receipt AS r
    WHERE r.cell = $1 AND r.id < $3 AND r.received_on < $2::timestamptz AND r.used_minor = r.amount_minor
        AND NOT EXISTS (SELECT FROM business.settlement AS s WHERE s.cell = r.cell AND s.receipt_id = r.id) ORDER BY r.id LIMIT $4
) RETURNING NULL::uuid AS subject;

-- name: subscriptions_contacts
-- Whom subscriptions went to that ended, and by which card they were paid.
DELETE FROM subscription.contact WHERE (cell, subscription_id) IN (
    SELECT c.cell, c.subscription_id FROM subscription.contact AS c
    JOIN subscription.subscription AS s ON s.cell = c.cell AND s.id = c.subscription_id
    WHERE c.cell = $1 AND c.subscription_id < $3 AND s.state = 'ended' AND s.period_end < $2::timestamptz
        AND NOT privacy.is_held(c.cell, s.id, s.customer_id) ORDER BY c.subscription_id LIMIT $4
) RETURNING subject;

-- name: disputes_evidence
-- What was written about disputes.
UPDATE payment.dispute SET evidence = '' WHERE (cell, id) IN (
    SELECT d.cell, d.id FROM payment.dispute AS d
    WHERE d.cell = $1 AND d.id < $3 AND d.evidence <> '' AND d.decided_at < $2::timestamptz
        AND NOT privacy.is_held(d.cell, d.payment_id, NULL) ORDER BY d.id LIMIT $4
) RETURNING NULL::uuid AS subject;

-- name: accounts_unused
-- Customers whom nobody has seen, whom nothing else binds to us and who are not on their way out already.
SELECT p.id AS subject FROM identity.person AS p
WHERE p.cell = $1 AND p.id < $3 AND p.seen_at < $2::timestamptz AND p.created_at < $2 AND p.kind = 'person'
    AND p.state IN ('active', 'suspended') AND NOT privacy.is_held(p.cell, NULL, p.id)
    AND NOT EXISTS (SELECT FROM identity.membership AS m WHERE m.person_id = p.id)
    AND NOT EXISTS (SELECT FROM ordering.orders AS o WHERE o.cell = p.cell AND o.customer_id = p.id AND o.placed_at >= $2)
    AND NOT EXISTS (SELECT FROM subscription.subscription AS s WHERE s.cell = p.cell AND s.customer_id = p.id AND s.state <> 'ended')
    AND NOT EXISTS (SELECT FROM privacy.erasure AS e WHERE e.cell = p.cell AND e.subject = p.id AND (e.state <> 'withdrawn' OR e.ended_at >= $2))
ORDER BY p.id LIMIT $4;

-- name: held
-- How many contacts of orders are due and held.
SELECT count(*) FROM ordering.contact AS c JOIN ordering.orders AS o ON o.cell = c.cell AND o.id = c.order_id
WHERE c.cell = $1 AND c.order_id < $3 AND o.placed_at < $2::timestamptz
    AND privacy.is_held(c.cell, c.order_id, coalesce(o.customer_id, c.subject));

-- name: kept_by_nothing
-- Which of these subjects are known by nothing that is left: guests, whose keys open nothing any more.
SELECT k.subject FROM privacy.person_key AS k
WHERE k.subject = ANY ($2::uuid[]) AND k.wrapped IS NOT NULL
    AND NOT EXISTS (SELECT FROM identity.person AS p WHERE p.id = k.subject)
    AND NOT EXISTS (SELECT FROM business.buyer AS b WHERE b.cell = $1 AND b.id = k.subject)
    AND NOT EXISTS (SELECT FROM privacy.found_by AS f WHERE f.cell = $1 AND f.subject = k.subject)
    AND NOT EXISTS (SELECT FROM subscription.subscription AS s JOIN subscription.contact AS c ON c.cell = s.cell AND c.subscription_id = s.id
                    WHERE s.cell = $1 AND s.customer_id = k.subject);

-- name: put_hold
-- Keeps what belongs to somebody, or an order, for a case; says whether it was not kept for it.
INSERT INTO privacy.legal_hold (about_id, reference, since, by_whom) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING about_id;

-- name: lift_hold
-- Keeps it for this case no more; says whether it was kept for it.
DELETE FROM privacy.legal_hold WHERE about_id = $1 AND reference = $2 RETURNING about_id;

-- name: holds
-- Everything that is held, and for which case.
SELECT about_id, reference, since, by_whom FROM privacy.legal_hold ORDER BY since, about_id;
