-- name: checkout_proof
-- What must hold after any run of checkouts: nothing oversold or still reserved, no order without money, no money without order.
SELECT (SELECT count(*) FROM stock.level WHERE available < 0) AS oversold,
       (SELECT coalesce(sum(reserved), 0) FROM stock.level) AS still_reserved,
       (SELECT count(*) FROM stock.reservation) AS reservations,
       (SELECT count(*) FROM checkout.checkout WHERE held IS NOT NULL) AS under_way,
       (SELECT coalesce(sum(s.amount), 0) FROM (
            SELECT amount_minor AS amount FROM ordering.transfer UNION ALL SELECT -amount_minor FROM ordering.transfer) AS s)
           AS ledger,
       (SELECT count(*) FROM ordering.orders AS o WHERE o.paid_by = 'card' AND NOT EXISTS (
            SELECT FROM payment.payment AS p WHERE p.cell = o.cell AND p.id = o.id AND p.authorized_minor = o.total_minor))
           AS orders_without_money,
       (SELECT count(*) FROM payment.payment AS p WHERE NOT EXISTS (
            SELECT FROM ordering.orders AS o WHERE o.cell = p.cell AND o.id = p.id)) AS money_without_order,
       (SELECT count(*) FROM checkout.allowance WHERE used > most) AS beyond_an_allowance;

-- name: head
-- The position of the log's last event.
SELECT txid::text::bigint AS txid, seq FROM log.event WHERE cell = $1 ORDER BY txid DESC, seq DESC LIMIT 1;

-- name: used
-- How much of an allowance is used.
SELECT coalesce(sum(used), 0) FROM checkout.allowance WHERE name = $1;
