-- Erasures, certificates and restrictions; and the statements that forget a person, each for the cell ($1) and subjects ($2).
-- name: add_found_by
-- Notes by which blind index the contact of an order is found.
INSERT INTO privacy.found_by (cell, subject, order_id, email_blind)
SELECT $1, f.subject, f.order_id, f.blind FROM unnest($2::uuid[], $3::uuid[], $4::bytea[]) AS f (subject, order_id, blind)
ON CONFLICT DO NOTHING;

-- name: contacts_of_orders
-- Whom these orders went to.
SELECT order_id, subject, sealed FROM ordering.contact WHERE cell = $1 AND order_id = ANY ($2::uuid[]) AND sealed IS NOT NULL;

-- name: subjects_by_email
-- Everybody who is known by an address, accounts before buyers before guests; each place has a blind index of its own.
SELECT k.subject FROM (
    SELECT person_id AS subject, 0 AS rank FROM identity.login WHERE email_blind = $2
    UNION ALL SELECT id, 1 FROM business.buyer WHERE cell = $1 AND email_blind = $4
    UNION ALL SELECT subject, 2 FROM privacy.found_by WHERE cell = $1 AND email_blind = $3
) AS k GROUP BY k.subject ORDER BY min(k.rank), k.subject;

-- name: email_of
-- The address that somebody signs in by, once they have confirmed it.
SELECT l.email_sealed FROM identity.login AS l JOIN identity.person AS p ON p.id = l.person_id
WHERE l.person_id = $1 AND p.verified_at IS NOT NULL;

-- name: is_known
-- Says whether anything at all is known of somebody.
SELECT EXISTS (SELECT FROM privacy.person_key WHERE subject = $2) OR EXISTS (SELECT FROM identity.person WHERE id = $2)
    OR EXISTS (SELECT FROM ordering.orders WHERE cell = $1 AND customer_id = $2);

-- name: is_forgotten
-- Says which of these subjects' keys are destroyed.
SELECT subject FROM privacy.person_key WHERE subject = ANY ($1::uuid[]) AND wrapped IS NULL;

-- name: add_erasure
-- Notes that somebody is to be forgotten.
INSERT INTO privacy.erasure (cell, id, subject, subjects, state, actor, asked_at, due_at) VALUES ($1, $2, $3, $4, 'asked', $5, $6, $7)
ON CONFLICT (cell, subject) WHERE state <> 'withdrawn' DO NOTHING RETURNING id;

-- name: erasure_of
-- The erasure of somebody, the latest if there were several.
SELECT * FROM privacy.erasure WHERE cell = $1 AND (subject = $2 OR id = $2) ORDER BY asked_at DESC LIMIT 1;

-- name: erasure_for_update
-- An erasure, locked.
SELECT * FROM privacy.erasure WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: erasures
-- The erasures, the latest first.
SELECT * FROM privacy.erasure WHERE cell = $1 ORDER BY asked_at DESC LIMIT $2;

-- name: unfinished
-- Erasures that something is to be done about now, the longest due first.
SELECT id FROM privacy.erasure WHERE cell = $1 AND state IN ('asked', 'erased', 'cleared') AND due_at <= $2 ORDER BY due_at LIMIT $3;

-- name: set_waiting
-- Notes what an erasure waits for.
UPDATE privacy.erasure SET waits_for = $3 WHERE cell = $1 AND id = $2;

-- name: set_withdrawn
-- Notes that somebody is not to be forgotten after all.
UPDATE privacy.erasure SET state = 'withdrawn', ended_at = $3 WHERE cell = $1 AND id = $2;

-- name: set_erased
-- Notes that the rows are empty and the keys destroyed, and what the steps that follow need.
UPDATE privacy.erasure
SET state = 'erased', erased_at = $3, log_position = $4, orders = $5, returns = $6, known_sealed = $7, removed = $8, waits_for = ''
WHERE cell = $1 AND id = $2;

-- name: set_cleared
-- Notes that copies are cleared, unless another process that cleared them too came further.
UPDATE privacy.erasure SET state = 'cleared', removed = removed || $3::jsonb WHERE cell = $1 AND id = $2 AND state = 'erased';

-- name: set_certified
-- Notes the end; what was searched for, and what the person had ordered, is not known any more.
UPDATE privacy.erasure SET state = 'certified', ended_at = $3, known_sealed = NULL, orders = '{}', returns = '{}'
WHERE cell = $1 AND id = $2;

-- name: set_found
-- Notes that something was found: it is searched again once it is gone.
UPDATE privacy.erasure SET state = 'found' WHERE cell = $1 AND id = $2;

-- name: add_certificate
-- Keeps what a search found, signed.
INSERT INTO privacy.certificate (cell, erasure_id, subject, at, document, signature) VALUES ($1, $2, $3, $4, $5, $6);

-- name: certificate_of
-- The latest certificate about somebody.
SELECT document, signature FROM privacy.certificate WHERE cell = $1 AND (subject = $2 OR erasure_id = $2) ORDER BY at DESC LIMIT 1;

-- name: add_signing_key
-- Keeps the key that certificates are signed with; of two that start at once, one does.
INSERT INTO privacy.signing_key (cell, public, sealed) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: signing_key
-- The key that certificates are signed with.
SELECT public, sealed FROM privacy.signing_key WHERE cell = $1;

-- name: restrict
-- Notes that somebody's data may be kept, and used for nothing else.
INSERT INTO privacy.restriction (subject, since, by_whom) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING subject;

-- name: lift
-- Notes that somebody's data may be used again.
DELETE FROM privacy.restriction WHERE subject = $1 RETURNING subject;

-- name: restricted
-- Which of these subjects' data may be used for nothing.
SELECT subject FROM privacy.restriction WHERE subject = ANY ($1::uuid[]);

-- name: next_version
-- Counts a person's versions up by one; a guest has no row to count in, and none to be told of but once.
UPDATE identity.person SET version = version + 1 WHERE id = $1 RETURNING version;

-- name: last_version
-- The last version of the events about somebody who has no row.
SELECT coalesce(max(version), 0) FROM log.event WHERE cell = $1 AND subject = $2 AND key = $3;

-- name: credentials_of
-- The sessions and API keys of these people that nobody may remember.
SELECT person_id, array_agg(id) AS ids FROM (
    SELECT person_id, id FROM identity.session WHERE person_id = ANY ($1::uuid[]) AND ended_at IS NULL
    UNION ALL SELECT person_id, id FROM identity.api_key WHERE person_id = ANY ($1) AND ended_at IS NULL
) AS c GROUP BY person_id;

-- name: waiting
-- What is under way for these subjects and their orders.
WITH orders AS (
    SELECT id FROM ordering.orders WHERE cell = $1 AND customer_id = ANY ($2::uuid[])
    UNION SELECT order_id FROM privacy.found_by WHERE cell = $1 AND subject = ANY ($2::uuid[])
)
SELECT (SELECT count(*) FROM checkout.checkout WHERE cell = $1 AND customer_id = ANY ($2::uuid[]) AND held IS NOT NULL) AS checkouts,
       (SELECT count(*) FROM subscription.subscription WHERE cell = $1 AND customer_id = ANY ($2::uuid[]) AND state <> 'ended') AS subscriptions,
       (SELECT count(*) FROM aftersale.return_case AS c WHERE c.cell = $1 AND c.customer_id = ANY ($2::uuid[]) AND c.ended_at IS NULL) AS returns,
       (SELECT count(*) FROM payment.dispute AS d JOIN orders AS o ON o.id = d.payment_id WHERE d.cell = $1 AND d.decided_at IS NULL) AS disputes,
       (SELECT count(*) FROM privacy.legal_hold WHERE about_id = ANY ($2::uuid[]) OR about_id IN (SELECT id FROM orders)) AS holds;

-- name: orders_of
-- The orders of these subjects: as customers, and as guests.
SELECT id FROM ordering.orders WHERE cell = $1 AND customer_id = ANY ($2::uuid[])
UNION SELECT order_id FROM privacy.found_by WHERE cell = $1 AND subject = ANY ($2::uuid[]);

-- name: returns_of
-- The returns of these subjects, and of their orders ($3).
SELECT id FROM ordering.returns WHERE cell = $1 AND (customer_id = ANY ($2::uuid[]) OR order_id = ANY ($3::uuid[]));

-- name: sealed_of
-- All that lies sealed for these subjects and their orders ($3), by the field it is bound to.
SELECT 'identity.login.email' AS field, person_id AS subject, email_sealed AS sealed FROM identity.login WHERE person_id = ANY ($2::uuid[])
UNION ALL SELECT 'identity.login.email', person_id, email_sealed FROM identity.letter WHERE person_id = ANY ($2) AND email_sealed IS NOT NULL
UNION ALL SELECT 'identity.login.email', person_id, email_sealed FROM identity.link WHERE person_id = ANY ($2) AND email_sealed IS NOT NULL
UNION ALL SELECT 'identity.person.name', id, name_sealed FROM identity.person WHERE id = ANY ($2) AND name_sealed IS NOT NULL
UNION ALL SELECT 'identity.person.phone', id, phone_sealed FROM identity.person WHERE id = ANY ($2) AND phone_sealed IS NOT NULL
UNION ALL SELECT 'identity.address.address', person_id, address_sealed FROM identity.address WHERE person_id = ANY ($2)
UNION ALL SELECT 'ordering.contact.sealed', subject, sealed FROM ordering.contact WHERE cell = $1 AND order_id = ANY ($3::uuid[]) AND sealed IS NOT NULL
UNION ALL SELECT 'subscription.contact.sealed', c.subject, c.sealed FROM subscription.subscription AS s
    JOIN subscription.contact AS c ON c.cell = s.cell AND c.subscription_id = s.id
    WHERE s.cell = $1 AND s.customer_id = ANY ($2) AND c.sealed IS NOT NULL
UNION ALL SELECT 'business.buyer.name_sealed', id, name_sealed FROM business.buyer WHERE cell = $1 AND id = ANY ($2) AND name_sealed IS NOT NULL
UNION ALL SELECT 'business.buyer.email_sealed', id, email_sealed FROM business.buyer WHERE cell = $1 AND id = ANY ($2) AND email_sealed IS NOT NULL
UNION ALL SELECT 'business.purchase.contact_sealed', buyer_id, contact_sealed FROM business.purchase
    WHERE cell = $1 AND buyer_id = ANY ($2) AND contact_sealed IS NOT NULL;

-- name: plain_of
-- What an older version wrote plain about these orders ($3).
SELECT jsonb_build_object('email', email, 'name', name, 'phone', phone, 'address', address)::text AS text
FROM ordering.contact WHERE cell = $1 AND $2::uuid[] IS NOT NULL AND order_id = ANY ($3::uuid[]) AND email IS NOT NULL;

-- name: erase_order_contacts
-- Whom these orders ($3) went to.
DELETE FROM ordering.contact WHERE cell = $1 AND $2::uuid[] IS NOT NULL AND order_id = ANY ($3::uuid[]);

-- name: erase_order_customers
-- Whose orders they were: what was sold stays.
UPDATE ordering.orders SET customer_id = NULL WHERE cell = $1 AND customer_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: erase_return_customers
-- Whose returns they were.
UPDATE ordering.returns SET customer_id = NULL WHERE cell = $1 AND customer_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: erase_return_cases
-- Whose return cases they were, and what they wrote to them.
UPDATE aftersale.return_case SET customer_id = NULL, note = ''
WHERE cell = $1 AND (customer_id = ANY ($2::uuid[]) OR order_id = ANY ($3::uuid[]));

-- name: erase_checkouts
-- Whose checkouts they were.
UPDATE checkout.checkout SET customer_id = NULL WHERE cell = $1 AND customer_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: erase_cards
-- What cards of theirs were called.
UPDATE payment.payment SET label = '' WHERE cell = $1 AND $2::uuid[] IS NOT NULL AND id = ANY ($3::uuid[]);

-- name: erase_evidence
-- What was written about their disputes.
UPDATE payment.dispute SET evidence = '' WHERE cell = $1 AND $2::uuid[] IS NOT NULL AND payment_id = ANY ($3::uuid[]);

-- name: erase_methods
-- Cards that were kept.
DELETE FROM payment.method WHERE cell = $1 AND customer_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: erase_subscription_contacts
-- Whom subscriptions went to, and by which card they were paid.
DELETE FROM subscription.contact WHERE cell = $1 AND $3::uuid[] IS NOT NULL AND subscription_id IN (
    SELECT id FROM subscription.subscription WHERE cell = $1 AND customer_id = ANY ($2::uuid[]));

-- name: erase_subscriptions
-- Whose subscriptions they were: each is nobody's, under an id that means nothing else.
UPDATE subscription.subscription SET customer_id = id WHERE cell = $1 AND customer_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: erase_buyers
-- Who bought for a company.
UPDATE business.buyer SET state = 'left', name = NULL, email = NULL, name_sealed = NULL, email_sealed = NULL, email_blind = NULL
WHERE cell = $1 AND id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: erase_purchases
-- Whom purchases went to, and why they were asked for.
UPDATE business.purchase SET contact_sealed = NULL, request = jsonb_set(request, '{contact}', 'null'), why = '', purchase_order = ''
WHERE cell = $1 AND buyer_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: erase_coupons
-- Coupons that were for them alone: nobody's, and of no use.
UPDATE promotion.coupon SET active = false, customer_id = NULL
WHERE $1::integer IS NOT NULL AND customer_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: erase_customer_groups
-- Which groups they were of.
DELETE FROM pricing.customer WHERE $1::integer IS NOT NULL AND customer_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: erase_found_by
-- By which address their orders are found.
DELETE FROM privacy.found_by WHERE cell = $1 AND subject = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: erase_restrictions
-- That their data was not to be used.
DELETE FROM privacy.restriction WHERE $1::integer IS NOT NULL AND subject = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: erase_people
-- All that was known of an account, and every way to prove that one is its owner; that it was there stays.
WITH address AS (DELETE FROM identity.address WHERE person_id = ANY ($2::uuid[])),
api_key AS (DELETE FROM identity.api_key WHERE person_id = ANY ($2)),
consent AS (DELETE FROM identity.consent WHERE person_id = ANY ($2)),
device AS (DELETE FROM identity.device WHERE person_id = ANY ($2)),
external_login AS (DELETE FROM identity.external_login WHERE person_id = ANY ($2)),
letter AS (DELETE FROM identity.letter WHERE person_id = ANY ($2)),
link AS (DELETE FROM identity.link WHERE person_id = ANY ($2)),
login AS (DELETE FROM identity.login WHERE person_id = ANY ($2)),
membership AS (DELETE FROM identity.membership WHERE person_id = ANY ($2)),
passkey AS (DELETE FROM identity.passkey WHERE person_id = ANY ($2)),
password AS (DELETE FROM identity.password WHERE person_id = ANY ($2)),
recovery_code AS (DELETE FROM identity.recovery_code WHERE person_id = ANY ($2)),
session AS (DELETE FROM identity.session WHERE person_id = ANY ($2)),
totp AS (DELETE FROM identity.totp WHERE person_id = ANY ($2))
UPDATE identity.person SET state = 'erased', name_sealed = NULL, phone_sealed = NULL, phone_blind = NULL, language = 'en',
    market = '', currency = '', region = ''
WHERE id = ANY ($2) AND $1::integer IS NOT NULL AND $3::uuid[] IS NOT NULL;
