-- name: issuer
-- Who writes the invoices of a cell.
SELECT name, address, vat_id, bank_account FROM business.issuer WHERE cell = $1;

-- name: put_issuer
-- Says who writes the invoices of a cell.
INSERT INTO business.issuer (cell, name, address, vat_id, bank_account) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (cell) DO UPDATE SET name = excluded.name, address = excluded.address, vat_id = excluded.vat_id,
    bank_account = excluded.bank_account;

-- name: take_number
-- Takes the next number of a series and year; who comes next waits until this is committed, so no number is missing.
INSERT INTO business.series (cell, code, year, last) VALUES ($1, $2, $3, 1)
ON CONFLICT (cell, code, year) DO UPDATE SET last = series.last + 1 RETURNING last;

-- name: put_invoice
-- Writes an invoice that is issued.
INSERT INTO business.invoice (cell, id, number, state, company_id, order_id, issued_at, due_on, currency, total_minor, paid_minor,
                              credited_minor, version, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14::jsonb);

-- name: change_invoice
-- Writes what became of an invoice.
UPDATE business.invoice SET state = $3, paid_minor = $4, credited_minor = $5, version = $6 WHERE cell = $1 AND id = $2;

-- name: invoice_of_order
-- The invoice of an order, with its document.
SELECT id, number, state, company_id, order_id, issued_at, due_on, currency, total_minor, paid_minor, credited_minor, version, body
FROM business.invoice WHERE cell = $1 AND order_id = $2;

-- name: invoice_for_update
-- Locks an invoice.
SELECT id, number, state, company_id, order_id, issued_at, due_on, currency, total_minor, paid_minor, credited_minor, version
FROM business.invoice WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: company_of_invoice
-- Whose an invoice is.
SELECT company_id FROM business.invoice WHERE cell = $1 AND id = $2;

-- name: open_invoices
-- Locks what a company owes, the oldest first.
SELECT id, number, state, company_id, order_id, issued_at, due_on, currency, total_minor, paid_minor, credited_minor, version
FROM business.invoice WHERE cell = $1 AND company_id = $2 AND state IN ('open', 'part_paid', 'overdue') ORDER BY id FOR UPDATE;

-- name: invoices_numbered
-- The invoices of these numbers.
SELECT id, number, state, company_id, order_id, issued_at, due_on, currency, total_minor, paid_minor, credited_minor, version
FROM business.invoice WHERE cell = $1 AND number = ANY ($2::text[]) ORDER BY id;

-- name: invoices_to_become_overdue
-- Invoices that were due before a day and are not settled.
SELECT id FROM business.invoice WHERE cell = $1 AND due_on < $2 AND state IN ('open', 'part_paid') ORDER BY id LIMIT $3;

-- name: put_credit_note
-- Writes a credit note; one cause has one.
INSERT INTO business.credit_note (cell, id, number, company_id, invoice_id, about_id, issued_at, currency, total_minor, used_minor,
                                  version, body)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, 1, $10::jsonb);

-- name: is_credited
-- Whether a cause has its credit note.
SELECT EXISTS (SELECT FROM business.credit_note WHERE cell = $1 AND about_id = $2);

-- name: credit_note_for_update
-- Locks a credit note and returns whose it is and what of it has settled no invoice yet.
SELECT company_id, currency, total_minor - used_minor AS left_minor FROM business.credit_note WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: use_credit_note
-- Counts so much of a credit note as used.
UPDATE business.credit_note SET used_minor = used_minor + $3, version = version + 1 WHERE cell = $1 AND id = $2;

-- name: put_receipt
-- Writes a receipt; the same transfer, by the bank's reference, is written once.
INSERT INTO business.receipt (cell, id, bank_reference, company_id, remittance, received_on, currency, amount_minor, used_minor,
                              version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (cell, bank_reference) DO NOTHING RETURNING true;

-- name: receipt_of
-- The receipt of a transfer.
SELECT id, bank_reference, company_id, remittance, received_on, currency, amount_minor, used_minor, version
FROM business.receipt WHERE cell = $1 AND bank_reference = $2;

-- name: receipt_for_update
-- Locks a receipt.
SELECT id, bank_reference, company_id, remittance, received_on, currency, amount_minor, used_minor, version
FROM business.receipt WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: change_receipt
-- Writes what became of a receipt.
UPDATE business.receipt SET company_id = $3, used_minor = $4, version = $5 WHERE cell = $1 AND id = $2;

-- name: put_settlement
-- Writes that so much of an invoice was settled by a receipt or a credit note.
INSERT INTO business.settlement (cell, id, invoice_id, receipt_id, credit_note_id, amount_minor, at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: purchase_order
-- The purchase-order number of an order, which its purchase may not have noted yet: then the checkout's key says whose it is.
SELECT p.purchase_order
FROM business.purchase AS p
LEFT JOIN log.idempotency AS i ON i.cell = p.cell AND i.key = 'purchase/' || p.id
WHERE p.cell = $1 AND p.company_id = $2 AND (p.order_id = $3 OR (p.state = 'approved' AND i.subject_id = $3));

-- name: titles
-- What products are called, in English where they are.
SELECT DISTINCT ON (product_id) product_id, title FROM catalog.product_text WHERE product_id = ANY ($1::uuid[])
ORDER BY product_id, locale <> 'en', locale;
