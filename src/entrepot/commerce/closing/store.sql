-- name: period_for_update
-- A month's books, locked.
SELECT period, since, until, state, transfers, balance, digest, closed_at, version
FROM closing.period WHERE cell = $1 AND period = $2 FOR UPDATE;

-- name: period
-- A month's books.
SELECT period, since, until, state, transfers, balance, digest, closed_at, version
FROM closing.period WHERE cell = $1 AND period = $2;

-- name: period_until
-- The month that ends where another begins.
SELECT period, since, until, state, transfers, balance, digest, closed_at, version
FROM closing.period WHERE cell = $1 AND until = $2;

-- name: periods
-- Every month that was ever closed, the last first.
SELECT period, since, until, state, transfers, balance, digest, closed_at, version
FROM closing.period WHERE cell = $1 ORDER BY period DESC;

-- name: last_closed
-- The last month that is closed, or being closed.
SELECT max(period) FROM closing.period WHERE cell = $1 AND state <> 'reopened';

-- name: stop_booking
-- Waits until what is being booked is committed, and lets nothing begin before this transaction ends.
LOCK TABLE ordering.transfer IN SHARE MODE;

-- name: booked_before
-- Whether anything was booked before a moment.
SELECT EXISTS (SELECT FROM ordering.transfer WHERE cell = $1 AND booked_at < $2);

-- name: put_period
-- Writes how a month's books stand.
INSERT INTO closing.period (cell, period, since, until, state, transfers, balance, digest, closed_at, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (cell, period) DO UPDATE SET state = excluded.state, transfers = excluded.transfers, balance = excluded.balance,
    digest = excluded.digest, closed_at = excluded.closed_at, version = excluded.version;

-- name: trial_balance
-- What each account stood at when a month began, and what was debited and credited in it.
SELECT t.account::text AS account, t.currency,
       coalesce(sum(t.debit - t.credit) FILTER (WHERE t.booked_at < $2), 0)::bigint AS opening_minor,
       coalesce(sum(t.debit) FILTER (WHERE t.booked_at >= $2), 0)::bigint AS debit_minor,
       coalesce(sum(t.credit) FILTER (WHERE t.booked_at >= $2), 0)::bigint AS credit_minor
FROM (
    SELECT debit AS account, currency, amount_minor AS debit, 0::bigint AS credit, booked_at FROM ordering.transfer
    WHERE cell = $1 AND booked_at < $3
    UNION ALL
    SELECT credit, currency, 0, amount_minor, booked_at FROM ordering.transfer WHERE cell = $1 AND booked_at < $3
) AS t
GROUP BY t.account, t.currency ORDER BY t.account::text, t.currency;

-- name: transfers
-- How many transfers were booked in a month.
SELECT count(*) FROM ordering.transfer WHERE cell = $1 AND booked_at >= $2 AND booked_at < $3;
