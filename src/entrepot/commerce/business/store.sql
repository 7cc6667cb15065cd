-- name: company
-- A company, and its version.
SELECT id, name, country, currency, credit_limit_minor, terms_days, vat_id, address, state, version
FROM business.company WHERE cell = $1 AND id = $2;

-- name: company_for_update
-- Locks a company: what it owes changes one after the other.
SELECT id, name, country, currency, credit_limit_minor, terms_days, vat_id, address, state, version
FROM business.company WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: put_company
-- Writes a company as it now is.
INSERT INTO business.company (cell, id, name, country, currency, credit_limit_minor, terms_days, vat_id, address, state, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (cell, id) DO UPDATE SET name = excluded.name, country = excluded.country, currency = excluded.currency,
    credit_limit_minor = excluded.credit_limit_minor, terms_days = excluded.terms_days, vat_id = excluded.vat_id,
    address = excluded.address, state = excluded.state, version = excluded.version;

-- name: vat_id_holder
-- The company that has this VAT id.
SELECT id FROM business.company WHERE cell = $1 AND vat_id = $2;

-- name: set_credit
-- Makes a company's allowance, or changes its limit; what is used beyond a lowered one stays used (as in checkout.admit).
INSERT INTO checkout.allowance (cell, name, most) VALUES ($1, $2, $3)
ON CONFLICT (cell, name) DO UPDATE SET most = greatest(excluded.most, allowance.used);

-- name: give_credit_back
-- Frees so much of a company's credit; a limit that was lowered beneath what was used comes down with it.
UPDATE checkout.allowance SET used = used - $3, most = greatest($4, used - $3) WHERE cell = $1 AND name = $2;

-- name: credit_used
-- How much of a company's credit is used.
SELECT used FROM checkout.allowance WHERE cell = $1 AND name = $2;

-- name: buyer
-- A buyer, and its version.
SELECT id, company_id, role, order_limit_minor, month_limit_minor, state, version FROM business.buyer WHERE cell = $1 AND id = $2;

-- name: buyer_for_update
-- Locks a buyer, so that what they may still spend is decided one purchase after the other.
SELECT id, company_id, role, order_limit_minor, month_limit_minor, state, version
FROM business.buyer WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: put_buyer
-- Writes a buyer as they now are.
INSERT INTO business.buyer (cell, id, company_id, role, order_limit_minor, month_limit_minor, state, version, name_sealed,
                            email_sealed, email_blind)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (cell, id) DO UPDATE SET role = excluded.role, order_limit_minor = excluded.order_limit_minor,
    month_limit_minor = excluded.month_limit_minor, state = excluded.state, version = excluded.version,
    name_sealed = excluded.name_sealed, email_sealed = excluded.email_sealed, email_blind = excluded.email_blind, name = NULL,
    email = NULL;

-- name: email_holder
-- The buyer of a company who has this email, by its blind index, or plain where it is not sealed yet.
SELECT id FROM business.buyer WHERE cell = $1 AND company_id = $2 AND (email_blind = $3 OR email = $4);

-- name: spent
-- What a buyer has decided alone, or had approved, since a moment.
SELECT coalesce(sum(total_minor), 0)::bigint FROM business.purchase
WHERE cell = $1 AND buyer_id = $2 AND decided_at >= $3 AND state IN ('approved', 'ordered');

-- name: purchase_for_update
-- Locks a purchase.
SELECT id, company_id, buyer_id, state, purchase_order, negotiation_id, currency, total_minor, why, asked_at, decided_by, decided_at,
       order_id, version
FROM business.purchase WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: purchase
-- A purchase as it stands.
SELECT id, company_id, buyer_id, state, currency, total_minor, purchase_order, negotiation_id, decided_by, order_id, why
FROM business.purchase WHERE cell = $1 AND id = $2;

-- name: put_purchase
-- Writes a purchase that is asked for.
INSERT INTO business.purchase (cell, id, company_id, buyer_id, state, purchase_order, negotiation_id, currency, total_minor, why,
                               asked_at, decided_by, decided_at, order_id, version, request, contact_sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::jsonb, $17);

-- name: change_purchase
-- Writes what became of a purchase.
UPDATE business.purchase SET state = $3, why = $4, decided_by = $5, decided_at = $6, order_id = $7, version = $8
WHERE cell = $1 AND id = $2;

-- name: purchase_request
-- What a purchase asks of the checkout, and how it stands.
SELECT state, request, buyer_id, contact_sealed FROM business.purchase WHERE cell = $1 AND id = $2;

-- name: purchases_to_order
-- Purchases that are approved and have no order yet.
SELECT id FROM business.purchase WHERE cell = $1 AND state = 'approved' ORDER BY id LIMIT $2;

-- name: purchase_of_negotiation
-- The purchase that a negotiation's agreement is, or is about to be, ordered by.
SELECT id FROM business.purchase WHERE cell = $1 AND negotiation_id = $2 AND state IN ('pending', 'approved', 'ordered');

-- name: negotiation_for_update
-- Locks a negotiation.
SELECT id, company_id, buyer_id, state, market, currency, skus, quantities, units_minor, proposed_by, valid_until, version
FROM business.negotiation WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: put_negotiation
-- Writes a negotiation as it now is.
INSERT INTO business.negotiation (cell, id, company_id, buyer_id, state, market, currency, skus, quantities, units_minor, proposed_by,
                                  valid_until, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
ON CONFLICT (cell, id) DO UPDATE SET state = excluded.state, units_minor = excluded.units_minor, proposed_by = excluded.proposed_by,
    valid_until = excluded.valid_until, version = excluded.version;

-- name: put_round
-- Remembers a move of a negotiation.
INSERT INTO business.negotiation_round (cell, negotiation_id, round, by_whom, did, units_minor, valid_until, note, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: negotiations_to_expire
-- Negotiations that are no longer valid, but for those whose order is under way.
SELECT n.id FROM business.negotiation AS n
WHERE n.cell = $1 AND n.valid_until <= $2 AND n.state IN ('offered', 'countered', 'accepted')
  AND NOT EXISTS (
      SELECT FROM business.purchase AS p
      WHERE p.cell = n.cell AND p.negotiation_id = n.id AND p.state IN ('pending', 'approved')
  )
ORDER BY n.id LIMIT $3;

-- name: market_currency
-- What a market sells in.
SELECT currency FROM pricing.market WHERE code = $1;

-- name: unknown_skus
-- Which of these articles are not there.
SELECT w.sku FROM unnest($1::text[]) AS w (sku) WHERE NOT EXISTS (SELECT FROM catalog.sku AS s WHERE s.sku = w.sku) ORDER BY w.sku;
