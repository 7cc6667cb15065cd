-- name: order
-- Whose an order is: its customer's, its company's, and of those who sell in it.
SELECT o.customer_id, o.id AS order_id,
       array_remove(ARRAY['company/' || o.company_id]
                    || ARRAY(SELECT 'seller/' || s.code FROM marketplace.seller_order so JOIN marketplace.seller s ON s.id = so.seller_id
                             WHERE so.cell = $1 AND so.order_id = $2), NULL) AS tenants
FROM ordering.orders o WHERE o.cell = $1 AND o.id = $2;

-- name: shipment
-- Whose a shipment is: the customer's who gets it, and the seller's who sends it.
SELECT o.customer_id, o.id AS order_id,
       array_remove(ARRAY['company/' || o.company_id, 'seller/' || s.code], NULL) AS tenants
FROM fulfilment.shipment f
JOIN ordering.orders o ON o.cell = f.cell AND o.id = f.order_id
LEFT JOIN marketplace.seller s ON s.id = f.seller_id
WHERE f.cell = $1 AND f.id = $2;

-- name: return
-- Whose a return is: the customer's who sends it.
SELECT o.customer_id, o.id AS order_id, array_remove(ARRAY['company/' || o.company_id], NULL) AS tenants
FROM aftersale.return_case r JOIN ordering.orders o ON o.cell = r.cell AND o.id = r.order_id
WHERE r.cell = $1 AND r.id = $2;

-- name: checkout
-- Whose a checkout is; nobody's: of who knows its id.
SELECT customer_id, NULL::uuid AS order_id, ARRAY[]::text[] AS tenants FROM checkout.checkout WHERE cell = $1 AND id = $2;

-- name: company
-- A company is its own.
SELECT NULL::uuid AS customer_id, NULL::uuid AS order_id, ARRAY['company/' || id] AS tenants
FROM business.company WHERE cell = $1 AND id = $2;

-- name: buyer
-- A buyer is their company's.
SELECT NULL::uuid AS customer_id, NULL::uuid AS order_id, ARRAY['company/' || company_id] AS tenants
FROM business.buyer WHERE cell = $1 AND id = $2;

-- name: purchase
-- A purchase is its company's.
SELECT NULL::uuid AS customer_id, NULL::uuid AS order_id, ARRAY['company/' || company_id] AS tenants
FROM business.purchase WHERE cell = $1 AND id = $2;

-- name: negotiation
-- A negotiation is its company's.
SELECT NULL::uuid AS customer_id, NULL::uuid AS order_id, ARRAY['company/' || company_id] AS tenants
FROM business.negotiation WHERE cell = $1 AND id = $2;

-- name: invoice
-- An invoice is its company's.
SELECT NULL::uuid AS customer_id, NULL::uuid AS order_id, ARRAY['company/' || company_id] AS tenants
FROM business.invoice WHERE cell = $1 AND id = $2;

-- name: credit_note
-- A credit note is its company's.
SELECT NULL::uuid AS customer_id, NULL::uuid AS order_id, ARRAY['company/' || company_id] AS tenants
FROM business.credit_note WHERE cell = $1 AND id = $2;

-- name: subscription
-- A subscription is its customer's.
SELECT customer_id, NULL::uuid AS order_id, ARRAY[]::text[] AS tenants FROM subscription.subscription WHERE cell = $1 AND id = $2;

-- name: method
-- A kept card is its customer's.
SELECT customer_id, NULL::uuid AS order_id, ARRAY[]::text[] AS tenants FROM payment.method WHERE cell = $1 AND id = $2;

-- name: seller
-- A seller is its own. (The cell is not asked for: sellers are known in all.)
SELECT NULL::uuid AS customer_id, NULL::uuid AS order_id, ARRAY['seller/' || code] AS tenants
FROM marketplace.seller WHERE $1::integer IS NOT NULL AND id = $2;

-- name: acting_buyer
-- The buyer whom somebody says they are: by which address the company knows them, and by which they sign in.
SELECT b.email_blind, ARRAY['company/' || b.company_id] AS tenants, l.email_sealed
FROM business.buyer b LEFT JOIN identity.login l ON l.person_id = $3
WHERE b.cell = $1 AND b.id = $2 AND b.state = 'active';
