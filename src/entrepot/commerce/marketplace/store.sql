-- name: seller
-- A seller.
SELECT id, code, name, kind, state, country, commission_permille, holdback_days, payout_days, disputes, version
FROM marketplace.seller WHERE id = $1;

-- name: seller_for_update
-- Locks a seller: what is paid to it is decided under this lock.
SELECT id, code, name, kind, state, country, commission_permille, holdback_days, payout_days, disputes, version
FROM marketplace.seller WHERE id = $1 FOR UPDATE;

-- name: seller_by_code_for_update
-- Locks a seller by its code.
SELECT id, code, name, kind, state, country, commission_permille, holdback_days, payout_days, disputes, version
FROM marketplace.seller WHERE code = $1 FOR UPDATE;

-- name: sellers
-- Every seller.
SELECT id, code, name, kind, state, country, commission_permille, holdback_days, payout_days, disputes, version
FROM marketplace.seller ORDER BY code;

-- name: put_seller
-- Writes a seller as it now is.
INSERT INTO marketplace.seller (id, code, name, kind, state, country, commission_permille, holdback_days, payout_days,
                                disputes, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, state = excluded.state, country = excluded.country,
    commission_permille = excluded.commission_permille, holdback_days = excluded.holdback_days,
    payout_days = excluded.payout_days, disputes = excluded.disputes, version = excluded.version;

-- name: put_warehouse
-- Gives a warehouse to a seller, and says whose it is: what was another's stays so.
INSERT INTO marketplace.warehouse AS w (cell, code, seller_id) VALUES ($1, $2, $3)
ON CONFLICT (cell, code) DO UPDATE SET seller_id = w.seller_id RETURNING seller_id;

-- name: warehouse_for_update
-- Locks a seller's warehouse and returns the number of its last feed.
SELECT feed_sequence FROM marketplace.warehouse WHERE cell = $1 AND code = $2 AND seller_id = $3 FOR UPDATE;

-- name: fed
-- Notes the number of a warehouse's last feed.
UPDATE marketplace.warehouse SET feed_sequence = $3, fed_at = $4 WHERE cell = $1 AND code = $2;

-- name: stocked
-- Levels of a warehouse, with what checkouts hold of each and what waits there to be sent. The levels are locked.
SELECT s.variant_id, s.available, s.reserved, coalesce(u.pieces, 0)::integer AS unshipped
FROM stock.level AS s
LEFT JOIN (
    SELECT x.variant_id, sum(x.quantity) AS pieces
    FROM fulfilment.shipment AS p JOIN fulfilment.shipment_line AS x ON x.cell = p.cell AND x.shipment_id = p.id
    WHERE p.cell = $1 AND p.warehouse = $2 AND p.state IN ('planned', 'picked', 'packed')
    GROUP BY x.variant_id
) AS u ON u.variant_id = s.variant_id
WHERE s.cell = $1::integer AND s.warehouse = $2 AND s.variant_id = ANY ($3::uuid[]);

-- name: put_supply
-- Writes what a supplier wants for a piece.
INSERT INTO marketplace.supply (cell, warehouse, variant_id, cost_minor, currency)
SELECT $1, $2, u.variant_id, u.cost_minor, $5 FROM unnest($3::uuid[], $4::bigint[]) AS u (variant_id, cost_minor)
ON CONFLICT (cell, warehouse, variant_id) DO UPDATE SET cost_minor = excluded.cost_minor, currency = excluded.currency;

-- name: supply_costs
-- What suppliers want for a piece of these variants, by warehouse.
SELECT warehouse, variant_id, cost_minor, currency FROM marketplace.supply WHERE cell = $1 AND variant_id = ANY ($2::uuid[]);

-- name: share_lines
-- The lines of orders that a seller sells, or that are shipped from a seller's warehouse, with how far each is.
SELECT l.order_id, s.seller_id, o.state AS order_state, o.placed_at, l.line, l.variant_id, l.warehouse, s.supplied, l.quantity,
       l.shipped, l.cancelled, l.returned,
       NOT EXISTS (
           SELECT FROM fulfilment.shipment AS p
           JOIN fulfilment.shipment_line AS x ON x.cell = p.cell AND x.shipment_id = p.id AND x.line = l.line
           WHERE p.cell = $1 AND p.order_id = l.order_id AND p.state IN ('planned', 'picked', 'packed', 'shipped')
       ) AS arrived
FROM ordering.line AS l
JOIN ordering.orders AS o ON o.cell = l.cell AND o.id = l.order_id
LEFT JOIN marketplace.warehouse AS w ON w.cell = l.cell AND w.code = l.warehouse
CROSS JOIN LATERAL (
    SELECT l.seller_id, false AS supplied WHERE l.seller_id IS NOT NULL
    UNION ALL
    SELECT w.seller_id, l.seller_id IS NULL WHERE w.seller_id <> l.seller_id OR w.seller_id IS NOT NULL AND l.seller_id IS NULL
) AS s
WHERE l.cell = $1 AND l.order_id = ANY ($2::uuid[])
ORDER BY l.order_id, s.seller_id, l.line;

-- name: seller_orders
-- What sellers have to do with these orders, as far as it was noted.
SELECT order_id, seller_id, state, placed_at, settled_at, version
FROM marketplace.seller_order WHERE cell = $1 AND order_id = ANY ($2::uuid[]);

-- name: put_seller_orders
-- Writes what sellers have to do with orders, as it now is.
INSERT INTO marketplace.seller_order (cell, order_id, seller_id, state, placed_at, settled_at, version)
SELECT $1, n.* FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::bigint[])
    AS n (order_id, seller_id, state, placed_at, settled_at, version)
ON CONFLICT (cell, order_id, seller_id) DO UPDATE SET state = excluded.state, settled_at = excluded.settled_at,
    version = excluded.version;

-- name: supplied
-- What we owe suppliers for lines of these orders.
SELECT order_id, line, seller_id, quantity, cost_minor, currency, back
FROM marketplace.supplied WHERE cell = $1 AND order_id = ANY ($2::uuid[]);

-- name: put_supplied
-- Writes what we owe a supplier for a line, as it now is.
INSERT INTO marketplace.supplied (cell, order_id, line, seller_id, quantity, back, cost_minor, currency)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (cell, order_id, line) DO UPDATE SET back = excluded.back;

-- name: nets
-- What an order left each of its sellers so far, and us of its sale, returns and disputes taken off; its total and currency.
SELECT n.seller_id, sum(n.amount_minor)::bigint AS net_minor, o.total_minor, o.currency,
       sum(n.commission_minor)::bigint AS commission_minor, e.disputes
FROM ordering.orders AS o
JOIN marketplace.seller_order AS s ON s.cell = o.cell AND s.order_id = o.id
CROSS JOIN LATERAL (
    SELECT s.seller_id,
           CASE WHEN t.credit = 'seller' AND t.credit_party = s.seller_id::text THEN t.amount_minor ELSE 0 END
           - CASE WHEN t.debit = 'seller' AND t.debit_party = s.seller_id::text THEN t.amount_minor ELSE 0 END AS amount_minor,
           CASE WHEN t.credit = 'commission' THEN t.amount_minor WHEN t.debit = 'commission' THEN -t.amount_minor ELSE 0 END
           AS commission_minor
    FROM ordering.transfer AS t
    WHERE t.cell = $1 AND t.currency = o.currency AND t.debit <> 'supply' AND t.credit <> 'supply'
      AND (t.credit = 'seller' AND t.credit_party = s.seller_id::text OR t.debit = 'seller' AND t.debit_party = s.seller_id::text)
      AND (t.about_id = o.id OR t.about_id IN (SELECT r.id FROM ordering.returns AS r WHERE r.cell = $1 AND r.order_id = o.id))
) AS n
JOIN marketplace.seller AS e ON e.id = n.seller_id
WHERE o.cell = $1 AND o.id = $2
GROUP BY n.seller_id, o.total_minor, o.currency, e.disputes ORDER BY n.seller_id;

-- name: balances
-- A seller's balance by currency, as the ledger has it, and how much of it is held back: what the orders left it that have not
-- arrived, or arrived after a moment. What is about no order (a payout) is never held back.
WITH moved AS (
    SELECT t.about_id, t.currency, t.amount_minor FROM ordering.transfer AS t
    WHERE t.cell = $1 AND t.credit = 'seller' AND t.credit_party = $2::uuid::text
    UNION ALL
    SELECT t.about_id, t.currency, -t.amount_minor FROM ordering.transfer AS t
    WHERE t.cell = $1 AND t.debit = 'seller' AND t.debit_party = $2::uuid::text
), by_order AS (
    SELECT coalesce(r.order_id, m.about_id) AS about_id, m.currency, sum(m.amount_minor) AS net_minor
    FROM moved AS m LEFT JOIN ordering.returns AS r ON r.cell = $1 AND r.id = m.about_id
    GROUP BY 1, 2
)
SELECT b.currency, sum(b.net_minor)::bigint AS balance_minor,
       coalesce(sum(greatest(b.net_minor, 0)) FILTER (
           WHERE o.id IS NOT NULL AND (s.settled_at IS NULL OR s.settled_at > $3)
       ), 0)::bigint AS held_minor
FROM by_order AS b
LEFT JOIN ordering.orders AS o ON o.cell = $1 AND o.id = b.about_id
LEFT JOIN marketplace.seller_order AS s ON s.cell = $1 AND s.order_id = b.about_id AND s.seller_id = $2
GROUP BY b.currency ORDER BY b.currency;

-- name: to_pay
-- Active sellers to whom nothing was paid, or asked to be, for as many days as lie between two payouts.
SELECT v.id FROM marketplace.seller AS v
WHERE v.state <> 'closed' AND NOT EXISTS (
    SELECT FROM marketplace.payout AS p
    WHERE p.cell = $1 AND p.seller_id = v.id AND (p.state = 'asked' OR p.asked_at + v.payout_days * interval '1 day' > $2)
) AND EXISTS (SELECT FROM ordering.transfer AS t WHERE t.cell = $1 AND t.credit = 'seller' AND t.credit_party = v.id::text)
ORDER BY v.id LIMIT $3;

-- name: last_payout
-- When a payout was last asked for, by a seller.
SELECT max(asked_at) FROM marketplace.payout WHERE cell = $1 AND seller_id = $2;

-- name: put_payout
-- Writes down a payout before it is asked for.
INSERT INTO marketplace.payout (cell, id, seller_id, currency, amount_minor, state, asked_at)
VALUES ($1, $2, $3, $4, $5, 'asked', $6);

-- name: asked_payouts
-- Payouts whose outcome is not known yet, the longest asked first.
SELECT id, seller_id, currency, amount_minor, state, asked_at, ended_at, reference, reason
FROM marketplace.payout WHERE cell = $1 AND state = 'asked' ORDER BY id LIMIT $2;

-- name: payout_for_update
-- Locks a payout.
SELECT id, seller_id, currency, amount_minor, state, asked_at, ended_at, reference, reason
FROM marketplace.payout WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: end_payout
-- Notes how a payout ended.
UPDATE marketplace.payout SET state = $3, ended_at = $4, reference = $5, reason = $6 WHERE cell = $1 AND id = $2;
