-- name: counts
-- How much of everything the system of record holds.
SELECT (SELECT count(*) FROM catalog.category) AS categories,
       (SELECT count(*) FROM catalog.product WHERE state = 'offered') AS products,
       (SELECT count(*) FROM catalog.variant) AS variants,
       (SELECT count(*) FROM pricing.price) AS prices,
       (SELECT count(*) FROM ordering.orders) AS orders,
       (SELECT count(*) FROM ordering.orders WHERE state = 'cancelled') AS cancelled,
       (SELECT count(*) FROM ordering.line) AS lines,
       (SELECT count(*) FROM ordering.returns) AS returns,
       (SELECT count(*) FROM ordering.transfer) AS transfers,
       (SELECT count(*) FROM log.event) AS events;
