-- What is handed out to a person of each area: for a cell ($1), subjects ($2) and their orders ($3). A column whose name has two
-- words is opened: it is shown as the first, and was sealed as the second.
-- name: account
-- Who they are here.
SELECT id, kind, state, language, market, currency, region, created_at, verified_at, id AS subject,
       name_sealed AS "name identity.person.name", phone_sealed AS "phone identity.person.phone"
FROM identity.person WHERE $1::integer IS NOT NULL AND id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: logins
-- What they sign in as.
SELECT person_id AS subject, email_sealed AS "email identity.login.email"
FROM identity.login WHERE $1::integer IS NOT NULL AND person_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: addresses
-- Where they receive things.
SELECT id, country, usual, created_at, person_id AS subject, address_sealed AS "address identity.address.address"
FROM identity.address WHERE $1::integer IS NOT NULL AND person_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: consents
-- What they agreed to.
SELECT purpose, text_version, how, given_at, withdrawn_at, withdrawn_how
FROM identity.consent WHERE $1::integer IS NOT NULL AND person_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL ORDER BY given_at;

-- name: sessions
-- Where and when they signed in.
SELECT began_at, seen_at, expires_at, ended_at, why, methods, person_id AS subject, place_sealed AS "place identity.session.place"
FROM identity.session WHERE $1::integer IS NOT NULL AND person_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL ORDER BY began_at;

-- name: credentials
-- How they prove who they are, as far as that is known to us.
SELECT 'passkey' AS kind, created_at, used_at FROM identity.passkey
WHERE $1::integer IS NOT NULL AND person_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL
UNION ALL SELECT 'api key ' || label, created_at, used_at FROM identity.api_key WHERE person_id = ANY ($2)
UNION ALL SELECT 'password', changed_at, NULL FROM identity.password WHERE person_id = ANY ($2);

-- name: memberships
-- What they are to whom.
SELECT role, tenant, granted_at FROM identity.membership
WHERE $1::integer IS NOT NULL AND person_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: orders
-- What they ordered.
SELECT id, state, market, country, currency, placed_at, goods_minor, charges_minor, tax_minor, total_minor, paid_by, cancelled_at
FROM ordering.orders WHERE cell = $1 AND $2::uuid[] IS NOT NULL AND id = ANY ($3::uuid[]) ORDER BY id;

-- name: order_lines
-- The articles of their orders.
SELECT order_id, line, sku, quantity, unit_minor, amount_minor
FROM ordering.line WHERE cell = $1 AND $2::uuid[] IS NOT NULL AND order_id = ANY ($3::uuid[]) ORDER BY order_id, line;

-- name: order_contacts
-- Whom their orders went to.
SELECT order_id, subject, sealed AS "contact ordering.contact.sealed", email, name, phone, address::text AS address
FROM ordering.contact WHERE cell = $1 AND $2::uuid[] IS NOT NULL AND order_id = ANY ($3::uuid[]) ORDER BY order_id;

-- name: payments
-- How their orders were paid.
SELECT id AS order_id, gateway, label, currency, authorized_minor, captured_minor, refunded_minor
FROM payment.payment WHERE cell = $1 AND $2::uuid[] IS NOT NULL AND id = ANY ($3::uuid[]) ORDER BY id;

-- name: kept_cards
-- Cards that were kept.
SELECT gateway, label, kept_at FROM payment.method WHERE cell = $1 AND customer_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: shipments
-- What was sent to them.
SELECT * FROM fulfilment.shipment WHERE cell = $1 AND $2::uuid[] IS NOT NULL AND order_id = ANY ($3::uuid[]);

-- name: returns
-- What they sent back.
SELECT id, order_id, returned_at, reason, total_minor, currency FROM ordering.returns
WHERE cell = $1 AND (customer_id = ANY ($2::uuid[]) OR order_id = ANY ($3::uuid[])) ORDER BY id;

-- name: return_cases
-- What they asked to send back, and what they wrote to it.
SELECT id, order_id, state, reason, note, requested_at, ended_at, refunded_minor FROM aftersale.return_case
WHERE cell = $1 AND (customer_id = ANY ($2::uuid[]) OR order_id = ANY ($3::uuid[])) ORDER BY id;

-- name: subscriptions
-- What they have subscribed to, and whom it goes to.
SELECT s.id, s.plan, s.quantity, s.state, s.period_start, s.period_end, s.price_minor, s.currency,
       c.subject, c.sealed AS "contact subscription.contact.sealed"
FROM subscription.subscription AS s LEFT JOIN subscription.contact AS c ON c.cell = s.cell AND c.subscription_id = s.id
WHERE s.cell = $1 AND s.customer_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL ORDER BY s.id;

-- name: customer_groups
-- Of which groups they are, whose prices they buy at.
SELECT customer_groups, since FROM pricing.customer
WHERE $1::integer IS NOT NULL AND customer_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: buyers
-- For which company they buy.
SELECT company_id, role, state, id AS subject, name_sealed AS "name business.buyer.name_sealed",
       email_sealed AS "email business.buyer.email_sealed"
FROM business.buyer WHERE cell = $1 AND id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: purchases
-- What they asked to buy for it.
SELECT id, state, purchase_order, why, total_minor, currency, asked_at, decided_at, order_id, buyer_id AS subject,
       contact_sealed AS "contact business.purchase.contact_sealed"
FROM business.purchase WHERE cell = $1 AND buyer_id = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL ORDER BY id;

-- name: restrictions
-- That their data is used for nothing.
SELECT since FROM privacy.restriction WHERE $1::integer IS NOT NULL AND subject = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: erasures
-- That they are to be forgotten.
SELECT state, asked_at, due_at FROM privacy.erasure WHERE cell = $1 AND subject = ANY ($2::uuid[]) AND $3::uuid[] IS NOT NULL;

-- name: seen_by
-- Who has read or changed what is known of them, and why. (A stamp of the log is 48 bits of milliseconds and 16 of count.)
SELECT to_timestamp((at >> 16) / 1000.0) AS at, actor, action, object, why, status FROM audit.every_entry
WHERE cell = $1 AND (subject = ANY ($2::uuid[]) OR (others IS NOT NULL AND others && $2)) AND $3::uuid[] IS NOT NULL ORDER BY id;
