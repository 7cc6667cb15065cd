-- name: told_of
-- The persons among these ids, and the owners of what is known by the others: who bought, subscribed, asked, gave back or was billed.
SELECT f.subject FROM (
    SELECT w.id AS subject, w.place FROM unnest($2::uuid[]) WITH ORDINALITY AS w (id, place)
    WHERE EXISTS (SELECT FROM identity.person AS p WHERE p.id = w.id)
        OR EXISTS (SELECT FROM privacy.person_key AS k WHERE k.subject = w.id)
    UNION ALL
    SELECT o.customer_id, w.place FROM unnest($2::uuid[]) WITH ORDINALITY AS w (id, place)
    JOIN ordering.orders AS o ON o.cell = $1 AND o.id = w.id
    UNION ALL
    SELECT c.customer_id, w.place FROM unnest($2::uuid[]) WITH ORDINALITY AS w (id, place)
    JOIN checkout.checkout AS c ON c.cell = $1 AND c.id = w.id
    UNION ALL
    SELECT s.customer_id, w.place FROM unnest($2::uuid[]) WITH ORDINALITY AS w (id, place)
    JOIN subscription.subscription AS s ON s.cell = $1 AND s.id = w.id
    UNION ALL
    SELECT m.customer_id, w.place FROM unnest($2::uuid[]) WITH ORDINALITY AS w (id, place)
    JOIN payment.method AS m ON m.cell = $1 AND m.id = w.id
    UNION ALL
    SELECT r.customer_id, w.place FROM unnest($2::uuid[]) WITH ORDINALITY AS w (id, place)
    JOIN aftersale.return_case AS r ON r.cell = $1 AND r.id = w.id
    UNION ALL
    SELECT p.buyer_id, w.place FROM unnest($2::uuid[]) WITH ORDINALITY AS w (id, place)
    JOIN business.purchase AS p ON p.cell = $1 AND p.id = w.id
    UNION ALL
    SELECT n.buyer_id, w.place FROM unnest($2::uuid[]) WITH ORDINALITY AS w (id, place)
    JOIN business.negotiation AS n ON n.cell = $1 AND n.id = w.id
    UNION ALL
    SELECT o.customer_id, w.place FROM unnest($2::uuid[]) WITH ORDINALITY AS w (id, place)
    LEFT JOIN business.credit_note AS c ON c.cell = $1 AND c.id = w.id
    JOIN business.invoice AS i ON i.cell = $1 AND i.id = coalesce(c.invoice_id, w.id)
    JOIN ordering.orders AS o ON o.cell = $1 AND o.id = i.order_id
) AS f
WHERE f.subject IS NOT NULL
GROUP BY f.subject
ORDER BY min(f.place);
