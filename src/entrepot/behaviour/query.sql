-- name: totals
-- What was done: events by kind, and how many of them by somebody who agreed to be counted.
SELECT kind, count() AS events, countIf(who != '') AS by_visitors, uniqExactIf(who, who != '') AS visitors
FROM {table} FINAL
WHERE at >= fromUnixTimestamp64Milli({since:Int64}) AND at < fromUnixTimestamp64Milli({until:Int64})
  AND ({market:String} = '' OR market = {market:String})
GROUP BY kind ORDER BY kind
SETTINGS do_not_merge_across_partitions_select_final = 1

-- name: sessions
-- Sessions by the day they began: what one visitor did with never more than half an hour between.
WITH marked AS (
    SELECT who, at, id, kind,
           at > addMinutes(lagInFrame(at) OVER (
               PARTITION BY who ORDER BY at, id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
           ), {gap:UInt32}) AS begins
    FROM {table} FINAL
    WHERE who != '' AND at >= fromUnixTimestamp64Milli({since:Int64}) AND at < fromUnixTimestamp64Milli({until:Int64})
      AND ({market:String} = '' OR market = {market:String})
), numbered AS (
    SELECT who, at, kind, sum(begins) OVER (PARTITION BY who ORDER BY at, id) AS number FROM marked
), session AS (
    SELECT who, number, min(at) AS began, dateDiff('second', min(at), max(at)) AS seconds, count() AS events,
           countIf(kind = 'order') > 0 AS ordered
    FROM numbered GROUP BY who, number
)
SELECT toDate(began) AS day, count() AS sessions, uniqExact(who) AS visitors, sum(events) AS events,
       toFloat64(avg(seconds)) AS seconds_each, countIf(ordered) AS with_order
FROM session GROUP BY day ORDER BY day LIMIT {most:UInt32}
SETTINGS do_not_merge_across_partitions_select_final = 1

-- name: funnel
-- How far sessions came: a product's page, then the cart, then the checkout, then the order, in this order.
WITH marked AS (
    SELECT who, at, id, kind,
           at > addMinutes(lagInFrame(at) OVER (
               PARTITION BY who ORDER BY at, id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
           ), {gap:UInt32}) AS begins
    FROM {table} FINAL
    WHERE who != '' AND at >= fromUnixTimestamp64Milli({since:Int64}) AND at < fromUnixTimestamp64Milli({until:Int64})
      AND ({market:String} = '' OR market = {market:String})
), numbered AS (
    SELECT who, at, kind, sum(begins) OVER (PARTITION BY who ORDER BY at, id) AS number FROM marked
), level AS (
    SELECT windowFunnel(86400000)(
        toUInt64(toUnixTimestamp64Milli(at)), kind = 'view', kind = 'cart', kind = 'checkout', kind = 'order'
    ) AS reached
    FROM numbered GROUP BY who, number
)
SELECT count() AS sessions, countIf(reached >= 1) AS viewed, countIf(reached >= 2) AS added,
       countIf(reached >= 3) AS checked_out, countIf(reached >= 4) AS ordered
FROM level
SETTINGS do_not_merge_across_partitions_select_final = 1

-- name: missed_searches
-- What was searched for most, and found nothing; of everybody, known or not.
SELECT words, count() AS searches, uniqExactIf(who, who != '') AS visitors, max(at) AS last_at
FROM {table} FINAL
WHERE kind = 'search' AND results = 0 AND words != ''
  AND at >= fromUnixTimestamp64Milli({since:Int64}) AND at < fromUnixTimestamp64Milli({until:Int64})
  AND ({market:String} = '' OR market = {market:String})
GROUP BY words ORDER BY searches DESC, words LIMIT {limit:UInt32}
SETTINGS do_not_merge_across_partitions_select_final = 1

-- name: searches_that_sold
-- What was searched for before an order: the order counts for the last search whose result its visitor clicked, at most a week
-- before. Which orders there are, and for how much, is what the facts of sales say; net of what came back.
WITH clicked AS (
    SELECT who, at, words FROM {table} FINAL
    WHERE kind = 'click' AND words != '' AND who != '' AND at < fromUnixTimestamp64Milli({until:Int64})
), ordered AS (
    SELECT who, at, assumeNotNull(order_id) AS order_id FROM {table} FINAL
    WHERE kind = 'order' AND who != '' AND order_id IS NOT NULL
      AND at >= fromUnixTimestamp64Milli({since:Int64}) AND at < fromUnixTimestamp64Milli({until:Int64})
      AND ({market:String} = '' OR market = {market:String})
), led AS (
    SELECT ordered.order_id AS order_id, argMax(clicked.words, clicked.at) AS words
    FROM ordered INNER JOIN clicked ON ordered.who = clicked.who
    WHERE clicked.at <= ordered.at AND clicked.at >= ordered.at - INTERVAL 7 DAY
    GROUP BY order_id
), sold AS (
    SELECT assumeNotNull(order_id) AS order_id, currency, sum(amount_minor) AS net_minor
    FROM {sales} FINAL WHERE order_id IN (SELECT order_id FROM led) GROUP BY order_id, currency
)
SELECT words, currency, count() AS orders, sum(net_minor) AS net_minor
FROM led INNER JOIN sold ON led.order_id = sold.order_id
GROUP BY words, currency ORDER BY orders DESC, net_minor DESC, words, currency LIMIT {limit:UInt32}
SETTINGS do_not_merge_across_partitions_select_final = 1

-- name: retention
-- Of the visitors who first came in a week, how many came again so many weeks later.
WITH first AS (
    SELECT who, toMonday(min(at)) AS week FROM {table} FINAL
    WHERE who != '' AND ({market:String} = '' OR market = {market:String}) GROUP BY who
)
SELECT first.week AS week, intDiv(toMonday(came.at) - first.week, 7) AS weeks_since, uniqExact(came.who) AS visitors
FROM (
    SELECT who, at FROM {table} FINAL WHERE who != '' AND ({market:String} = '' OR market = {market:String})
) AS came
INNER JOIN first ON came.who = first.who
WHERE first.week >= toDate(fromUnixTimestamp64Milli({since:Int64})) AND came.at < fromUnixTimestamp64Milli({until:Int64})
GROUP BY week, weeks_since ORDER BY week, weeks_since LIMIT {most:UInt32}
SETTINGS do_not_merge_across_partitions_select_final = 1

-- name: of_visitor
-- Everything that is kept of somebody.
SELECT at, kind, market, page, product_id, words, results, position, order_id
FROM {table} FINAL WHERE who IN {whose:Array(String)} ORDER BY at
