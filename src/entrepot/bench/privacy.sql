-- name: add_contacts
-- Whom orders go to, sealed, as a checkout writes it beside them.
INSERT INTO ordering.contact (cell, order_id, subject, sealed)
SELECT $1, c.order_id, $3, c.sealed FROM unnest($2::uuid[], $4::bytea[]) AS c (order_id, sealed);
