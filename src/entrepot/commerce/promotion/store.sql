-- name: put_promotion
-- Writes a promotion as it now is since a moment, and returns its version; one that is switched off keeps since when.
INSERT INTO promotion.promotion AS p (code, definition, active, ends_at, since, version)
VALUES ($1, $2::text::jsonb, $3, $4, $5::timestamptz, 1)
ON CONFLICT (code) DO UPDATE SET definition = excluded.definition, active = excluded.active, ends_at = excluded.ends_at,
    since = excluded.since, version = p.version + 1,
    off_at = CASE WHEN excluded.active THEN NULL WHEN p.active THEN excluded.since ELSE p.off_at END
RETURNING version;

-- name: promotion
-- One promotion.
SELECT definition FROM promotion.promotion WHERE code = $1;

-- name: promotions
-- Promotions in the order of their codes, after one.
SELECT definition FROM promotion.promotion WHERE code > $1 ORDER BY code LIMIT $2;

-- name: put_coupon
-- Writes a coupon as it now is, and returns its version.
INSERT INTO promotion.coupon AS c
    (code, promotion, most, most_per_customer, starts_at, ends_at, customer_id, active, version)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1)
ON CONFLICT (code) DO UPDATE SET promotion = excluded.promotion, most = excluded.most,
    most_per_customer = excluded.most_per_customer, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
    customer_id = excluded.customer_id, active = excluded.active, version = c.version + 1
RETURNING version;

-- name: coupon
-- One coupon.
SELECT code, promotion, most, most_per_customer, starts_at, ends_at, customer_id, active FROM promotion.coupon WHERE code = $1;

-- name: coupons
-- Coupons in the order of their codes, after one.
SELECT code, promotion, most, most_per_customer, starts_at, ends_at, customer_id, active FROM promotion.coupon
WHERE code > $1 ORDER BY code LIMIT $2;
