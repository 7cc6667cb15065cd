-- name: article
-- How an article is delivered, and its product; for the plan that sells it.
SELECT delivery FROM catalog.sku WHERE sku = $1;

-- name: plan
-- A plan.
SELECT code, title, sku, delivery, unit, units, trial_days, markets, currencies, amounts_minor, offered, version
FROM subscription.plan WHERE code = $1;

-- name: plan_for_update
-- Locks a plan.
SELECT code, title, sku, delivery, unit, units, trial_days, markets, currencies, amounts_minor, offered, version
FROM subscription.plan WHERE code = $1 FOR UPDATE;

-- name: put_plan
-- Writes a plan as it now is.
INSERT INTO subscription.plan (code, title, sku, delivery, unit, units, trial_days, markets, currencies, amounts_minor, offered,
                               version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT (code) DO UPDATE SET title = excluded.title, sku = excluded.sku, delivery = excluded.delivery, unit = excluded.unit,
    units = excluded.units, trial_days = excluded.trial_days, markets = excluded.markets, currencies = excluded.currencies,
    amounts_minor = excluded.amounts_minor, offered = excluded.offered, version = excluded.version;

-- name: plans
-- Every plan.
SELECT code, title, sku, delivery, unit, units, trial_days, markets, currencies, amounts_minor, offered, version
FROM subscription.plan ORDER BY code;

-- name: subscription_for_update
-- Locks a subscription.
SELECT id, customer_id, plan, next_plan, quantity, market, currency, price_minor, state, period, period_start, period_end, anchor,
       anchor_period, credit_minor, paused_at, failed_at, attempt, charging, noticed_period, next_at, why, version
FROM subscription.subscription WHERE cell = $1 AND id = $2 FOR UPDATE;

-- name: subscription
-- A subscription.
SELECT id, customer_id, plan, next_plan, quantity, market, currency, price_minor, state, period, period_start, period_end, anchor,
       anchor_period, credit_minor, paused_at, failed_at, attempt, charging, noticed_period, next_at, why, version
FROM subscription.subscription WHERE cell = $1 AND id = $2;

-- name: subscriptions
-- A customer's subscriptions (or everybody's) in a state (or in any) before an id, newest first.
SELECT id, customer_id, plan, next_plan, quantity, market, currency, price_minor, state, period, period_start, period_end, anchor,
       anchor_period, credit_minor, paused_at, failed_at, attempt, charging, noticed_period, next_at, why, version
FROM subscription.subscription
WHERE cell = $1 AND ($2::uuid IS NULL OR customer_id = $2) AND ($3::uuid IS NULL OR id < $3) AND ($5 = '' OR state = $5)
ORDER BY id DESC LIMIT $4;

-- name: charges
-- Every attempt to charge a subscription, newest first.
SELECT period, attempt, state, plan, amount_minor, credit_used_minor, currency, period_start, period_end, asked_at, order_id, why
FROM subscription.charge WHERE cell = $1 AND subscription_id = $2 ORDER BY period DESC, attempt DESC;

-- name: put_subscription
-- Writes a subscription as it now is.
INSERT INTO subscription.subscription (
    cell, id, customer_id, plan, next_plan, quantity, market, currency, price_minor, state, period, period_start, period_end, anchor,
    anchor_period, credit_minor, paused_at, failed_at, attempt, charging, noticed_period, next_at, why, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24)
ON CONFLICT (cell, id) DO UPDATE SET plan = excluded.plan, next_plan = excluded.next_plan, price_minor = excluded.price_minor,
    state = excluded.state, period = excluded.period, period_start = excluded.period_start, period_end = excluded.period_end,
    anchor = excluded.anchor, anchor_period = excluded.anchor_period, credit_minor = excluded.credit_minor,
    paused_at = excluded.paused_at, failed_at = excluded.failed_at, attempt = excluded.attempt, charging = excluded.charging,
    noticed_period = excluded.noticed_period, next_at = excluded.next_at, why = excluded.why, version = excluded.version;

-- name: put_contact
-- Writes to whom a subscription goes and what pays for it.
INSERT INTO subscription.contact (cell, subscription_id, subject, sealed, method) VALUES ($1, $2, $3, $4, $5);

-- name: put_method
-- Changes what pays for a subscription.
UPDATE subscription.contact SET method = $3 WHERE cell = $1 AND subscription_id = $2;

-- name: contact
-- To whom a subscription goes and what pays for it.
SELECT contact, subject, sealed, method FROM subscription.contact WHERE cell = $1 AND subscription_id = $2;

-- name: put_charge
-- Writes down an attempt to charge, before it is asked for.
INSERT INTO subscription.charge (cell, subscription_id, period, attempt, state, plan, price_minor, credit_used_minor, amount_minor,
                                 currency, period_start, period_end, asked_at, why)
VALUES ($1, $2, $3, $4, 'asked', $5, $6, $7, $8, $9, $10, $11, $12, '');

-- name: asked_charge
-- The attempt of a subscription whose outcome is not known yet.
SELECT subscription_id, period, attempt, plan, price_minor, credit_used_minor, amount_minor, currency, period_start, period_end
FROM subscription.charge WHERE cell = $1 AND subscription_id = $2 AND state = 'asked';

-- name: close_charge
-- Notes the outcome of an attempt, and says whether it was still open.
UPDATE subscription.charge SET state = $5, order_id = $6, why = $7
WHERE cell = $1 AND subscription_id = $2 AND period = $3 AND attempt = $4 AND state = 'asked' RETURNING true;

-- name: due
-- Subscriptions that the job must act on, the longest due first.
SELECT id FROM subscription.subscription WHERE cell = $1 AND next_at <= $2 ORDER BY next_at, id LIMIT $3;

-- name: coming
-- Subscriptions whose renewal comes before a moment and has not been announced.
SELECT id FROM subscription.subscription
WHERE cell = $1 AND next_at > $2 AND next_at <= $3 AND noticed_period <= period AND state IN ('trialing', 'active')
ORDER BY next_at, id LIMIT $4;
