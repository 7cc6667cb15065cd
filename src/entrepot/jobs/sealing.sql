-- What was written plain before it was sealed, page by page. Whoever takes a page holds its rows until they are sealed.

-- name: plain_order_contacts
-- Contacts beside orders that are plain, and for whom they are to be sealed: the customer, or the order's own id for a guest.
SELECT c.cell, c.order_id AS id, coalesce(o.customer_id, c.order_id) AS subject,
       jsonb_build_object('email', c.email, 'name', c.name, 'phone', c.phone, 'address', c.address)::text AS text
FROM ordering.contact AS c JOIN ordering.orders AS o ON o.cell = c.cell AND o.id = c.order_id
WHERE c.sealed IS NULL AND c.email IS NOT NULL ORDER BY c.cell, c.order_id LIMIT $1 FOR UPDATE OF c SKIP LOCKED;

-- name: seal_order_contacts
-- Writes contacts beside orders sealed, and empties what was plain.
UPDATE ordering.contact AS c
SET subject = s.subject, sealed = s.sealed, email = NULL, name = NULL, phone = NULL, address = NULL
FROM unnest($1::integer[], $2::uuid[], $3::uuid[], $4::bytea[]) AS s (cell, id, subject, sealed)
WHERE c.cell = s.cell AND c.order_id = s.id;

-- name: plain_subscription_contacts
-- Contacts of subscriptions that are plain.
SELECT c.cell, c.subscription_id AS id, s.customer_id AS subject, c.contact::text AS text
FROM subscription.contact AS c JOIN subscription.subscription AS s ON s.cell = c.cell AND s.id = c.subscription_id
WHERE c.sealed IS NULL AND c.contact IS NOT NULL ORDER BY c.cell, c.subscription_id LIMIT $1 FOR UPDATE OF c SKIP LOCKED;

-- name: seal_subscription_contacts
-- Writes contacts of subscriptions sealed, and empties what was plain.
UPDATE subscription.contact AS c SET subject = s.subject, sealed = s.sealed, contact = NULL
FROM unnest($1::integer[], $2::uuid[], $3::uuid[], $4::bytea[]) AS s (cell, id, subject, sealed)
WHERE c.cell = s.cell AND c.subscription_id = s.id;

-- name: plain_purchase_contacts
-- Whom purchases go to, where that is plain in what they ask of the checkout.
SELECT p.cell, p.id, p.buyer_id AS subject, (p.request -> 'contact')::text AS text FROM business.purchase AS p
WHERE p.contact_sealed IS NULL AND jsonb_typeof(p.request -> 'contact') = 'object'
ORDER BY p.cell, p.id LIMIT $1 FOR UPDATE SKIP LOCKED;

-- name: seal_purchase_contacts
-- Writes whom purchases go to sealed beside what they ask.
UPDATE business.purchase AS p SET contact_sealed = s.sealed, request = jsonb_set(p.request, '{contact}', 'null')
FROM unnest($1::integer[], $2::uuid[], $3::uuid[], $4::bytea[]) AS s (cell, id, subject, sealed)
WHERE p.cell = s.cell AND p.id = s.id;

-- name: plain_buyers
-- Buyers of companies whose name and email are plain.
SELECT b.cell, b.id, b.id AS subject, b.name, b.email FROM business.buyer AS b
WHERE b.name_sealed IS NULL AND b.email IS NOT NULL ORDER BY b.cell, b.id LIMIT $1 FOR UPDATE SKIP LOCKED;

-- name: seal_buyers
-- Writes buyers sealed, with what their email is found by, and empties what was plain.
UPDATE business.buyer AS b
SET name_sealed = s.name, email_sealed = s.email, email_blind = s.blind, name = NULL, email = NULL
FROM unnest($1::integer[], $2::uuid[], $3::bytea[], $4::bytea[], $5::bytea[]) AS s (cell, id, name, email, blind)
WHERE b.cell = s.cell AND b.id = s.id;

-- name: plain_webhook_secrets
-- Secrets of subscribers that are plain.
SELECT e.cell, e.id, e.secret FROM webhook.endpoint AS e
WHERE e.secret_sealed IS NULL AND e.secret IS NOT NULL ORDER BY e.cell, e.id LIMIT $1 FOR UPDATE SKIP LOCKED;

-- name: seal_webhook_secret
-- Writes a subscriber's secret sealed.
UPDATE webhook.endpoint SET secret_sealed = $3, secret = NULL WHERE cell = $1 AND id = $2;

-- name: plain_download_secrets
-- What downloads are signed with, where it is plain.
SELECT s.cell, s.secret FROM digital.secret AS s WHERE s.secret IS NOT NULL ORDER BY s.cell LIMIT $1 FOR UPDATE SKIP LOCKED;

-- name: seal_download_secret
-- Writes what downloads are signed with sealed.
UPDATE digital.secret SET sealed = $2, secret = NULL WHERE cell = $1;
