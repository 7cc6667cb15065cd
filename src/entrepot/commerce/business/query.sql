-- What others ask of companies, purchases, negotiations and invoices; reads only.

-- name: companies
-- Companies before an id, newest first, with what of their credit is used.
SELECT c.id, c.name, c.country, c.currency, c.credit_limit_minor, c.terms_days, c.vat_id, c.address, c.state,
       coalesce(a.used, 0) AS credit_used_minor
FROM business.company AS c
LEFT JOIN checkout.allowance AS a ON a.cell = c.cell AND a.name = 'credit/' || c.id
WHERE c.cell = $1 AND ($2::uuid IS NULL OR c.id < $2) ORDER BY c.id DESC LIMIT $3;

-- name: company
-- A company, with what of its credit is used.
SELECT c.id, c.name, c.country, c.currency, c.credit_limit_minor, c.terms_days, c.vat_id, c.address, c.state,
       coalesce(a.used, 0) AS credit_used_minor
FROM business.company AS c
LEFT JOIN checkout.allowance AS a ON a.cell = c.cell AND a.name = 'credit/' || c.id
WHERE c.cell = $1 AND c.id = $2;

-- name: buyers
-- Who may buy for a company, and what each has spent since a moment.
SELECT b.id, b.name, b.email, b.name_sealed, b.email_sealed, b.role, b.order_limit_minor, b.month_limit_minor, b.state,
       (SELECT coalesce(sum(p.total_minor), 0)::bigint FROM business.purchase AS p
        WHERE p.cell = b.cell AND p.buyer_id = b.id AND p.decided_at >= $3 AND p.state IN ('approved', 'ordered')) AS month_minor
FROM business.buyer AS b WHERE b.cell = $1 AND b.company_id = $2 ORDER BY b.id;

-- name: purchases
-- Purchases of a company (or of all) in a state (or in any) before an id, newest first.
SELECT id, company_id, buyer_id, state, currency, total_minor, purchase_order, negotiation_id, decided_by, order_id, why
FROM business.purchase
WHERE cell = $1 AND ($2::uuid IS NULL OR company_id = $2) AND ($3 = '' OR state = $3) AND ($4::uuid IS NULL OR id < $4)
ORDER BY id DESC LIMIT $5;

-- name: purchase
-- A purchase.
SELECT id, company_id, buyer_id, state, currency, total_minor, purchase_order, negotiation_id, decided_by, order_id, why
FROM business.purchase WHERE cell = $1 AND id = $2;

-- name: negotiations
-- Negotiations of a company (or of all) before an id, newest first.
SELECT id, company_id, buyer_id, state, market, currency, skus, quantities, units_minor, proposed_by, valid_until
FROM business.negotiation
WHERE cell = $1 AND ($2::uuid IS NULL OR company_id = $2) AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4;

-- name: negotiation
-- A negotiation.
SELECT id, company_id, buyer_id, state, market, currency, skus, quantities, units_minor, proposed_by, valid_until
FROM business.negotiation WHERE cell = $1 AND id = $2;

-- name: rounds
-- The moves of a negotiation, the first first.
SELECT round, by_whom, did, units_minor, valid_until, note, at
FROM business.negotiation_round WHERE cell = $1 AND negotiation_id = $2 ORDER BY round;

-- name: invoices
-- Invoices of a company (or of all) in a state (or in any) before an id, newest first.
SELECT id, number, state, company_id, order_id, issued_at, due_on, currency, total_minor, paid_minor, credited_minor
FROM business.invoice
WHERE cell = $1 AND ($2::uuid IS NULL OR company_id = $2) AND ($3 = '' OR state = $3) AND ($4::uuid IS NULL OR id < $4)
ORDER BY id DESC LIMIT $5;

-- name: invoice_of_order
-- The invoice of an order, if it has one.
SELECT id, number, state, company_id, order_id, issued_at, due_on, currency, total_minor, paid_minor, credited_minor
FROM business.invoice WHERE cell = $1 AND order_id = $2;

-- name: invoice
-- An invoice with its document.
SELECT id, number, state, company_id, order_id, issued_at, due_on, currency, total_minor, paid_minor, credited_minor, body
FROM business.invoice WHERE cell = $1 AND id = $2;

-- name: settlements
-- What has settled an invoice, the first first.
SELECT receipt_id, credit_note_id, amount_minor, at FROM business.settlement WHERE cell = $1 AND invoice_id = $2 ORDER BY id;

-- name: credit_notes
-- Credit notes of a company (or of all) before an id, newest first.
SELECT id, number, company_id, invoice_id, about_id, issued_at, currency, total_minor, used_minor
FROM business.credit_note
WHERE cell = $1 AND ($2::uuid IS NULL OR company_id = $2) AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4;

-- name: credit_note
-- A credit note with its document.
SELECT id, number, company_id, invoice_id, about_id, issued_at, currency, total_minor, used_minor, body
FROM business.credit_note WHERE cell = $1 AND id = $2;

-- name: receipts
-- Money that came in before an id, newest first; only what has settled nothing yet, if so asked.
SELECT id, bank_reference, company_id, received_on, currency, amount_minor, used_minor
FROM business.receipt
WHERE cell = $1 AND (NOT $2 OR used_minor < amount_minor) AND ($3::uuid IS NULL OR id < $3) ORDER BY id DESC LIMIT $4;
