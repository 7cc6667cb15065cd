-- What a quote is made of: price lists, dated rates, promotions, coupons, zones and methods. Small tables, read whole.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Lets an exclusion constraint compare texts and numbers for equality beside a range.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- A market without a country is taxed nowhere. `currencies` are those it sells in beside its own, by dated rates.
ALTER TABLE pricing.market
    ADD COLUMN country text NOT NULL DEFAULT '',
    ADD COLUMN prices_include_tax boolean NOT NULL DEFAULT true,
    ADD COLUMN currencies text[] NOT NULL DEFAULT '{}',
    ADD COLUMN version bigint NOT NULL DEFAULT 1;

-- A list of other prices than the market's own, for a channel, a group, a company ('' and NULL are any); the lowest rank wins.
CREATE TABLE pricing.price_list (
    code text NOT NULL,
    title text NOT NULL,
    market text NOT NULL,
    currency text NOT NULL,
    channel text NOT NULL,
    customer_group text NOT NULL,
    company_id uuid,
    rank integer NOT NULL,
    valid_from timestamptz NOT NULL,
    valid_until timestamptz,
    active boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT price_list_code_is_unique PRIMARY KEY (code),
    CONSTRAINT price_list_in_a_market FOREIGN KEY (market) REFERENCES pricing.market (code),
    CONSTRAINT price_list_currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT price_list_ends_after_it_begins CHECK (valid_until > valid_from),
    CONSTRAINT price_lists_of_equal_rank_never_overlap EXCLUDE USING gist (
        market WITH =, currency WITH =, channel WITH =, customer_group WITH =,
        (coalesce(company_id, '00000000-0000-0000-0000-000000000000')) WITH =, rank WITH =,
        tstzrange(valid_from, valid_until) WITH &&
    ) WHERE (active)
);

-- What a variant costs a piece in a list, from so many pieces on: parallel arrays, quantities ascending.
CREATE TABLE pricing.list_price (
    variant_id uuid NOT NULL,
    list text NOT NULL,
    from_quantities integer[] NOT NULL,
    amounts_minor bigint[] NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT one_price_per_variant_and_list PRIMARY KEY (variant_id, list),
    CONSTRAINT list_price_in_a_list FOREIGN KEY (list) REFERENCES pricing.price_list (code),
    CONSTRAINT list_price_arrays_are_parallel CHECK (cardinality(from_quantities) = cardinality(amounts_minor)),
    CONSTRAINT list_price_from_at_least_one_piece CHECK (0 < ALL (from_quantities)),
    CONSTRAINT list_price_never_negative CHECK (0 <= ALL (amounts_minor))
) PARTITION BY HASH (variant_id);

-- How many units of `quote` one unit of `base` is worth, from a moment on.
CREATE TABLE pricing.rate (
    base text NOT NULL,
    quote text NOT NULL,
    valid_from timestamptz NOT NULL,
    rate numeric NOT NULL,
    source text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT one_rate_per_pair_and_moment PRIMARY KEY (base, quote, valid_from),
    CONSTRAINT rate_is_positive CHECK (rate > 0),
    CONSTRAINT rate_is_between_two_currencies CHECK (base ~ '^[A-Z]{3}$' AND quote ~ '^[A-Z]{3}$' AND base <> quote)
);

CREATE SCHEMA promotion;

-- `definition` is the promotion whole, as its event tells it; the columns beside it are what it is looked for by.
CREATE TABLE promotion.promotion (
    code text NOT NULL,
    definition jsonb NOT NULL,
    active boolean NOT NULL,
    ends_at timestamptz,
    version bigint NOT NULL,
    CONSTRAINT promotion_code_is_unique PRIMARY KEY (code)
);

-- How often it was used is told by `checkout.allowance`, where the hot path decides it.
CREATE TABLE promotion.coupon (
    code text NOT NULL,
    promotion text NOT NULL,
    most bigint,
    most_per_customer bigint,
    starts_at timestamptz,
    ends_at timestamptz,
    customer_id uuid,
    active boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT coupon_code_is_unique PRIMARY KEY (code),
    CONSTRAINT coupon_is_written_in_capitals CHECK (code = upper(code) AND code <> ''),
    CONSTRAINT coupon_of_a_promotion FOREIGN KEY (promotion) REFERENCES promotion.promotion (code),
    CONSTRAINT coupon_limits_are_positive CHECK (most > 0 AND most_per_customer > 0),
    CONSTRAINT coupon_ends_after_it_begins CHECK (ends_at > starts_at)
) PARTITION BY HASH (code);

CREATE SCHEMA shipping;

CREATE TABLE shipping.zone (
    code text NOT NULL,
    definition jsonb NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT zone_code_is_unique PRIMARY KEY (code)
);

CREATE TABLE shipping.method (
    code text NOT NULL,
    definition jsonb NOT NULL,
    active boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT method_code_is_unique PRIMARY KEY (code)
);

DO $$
BEGIN
    PERFORM log.make_hash_partitions('pricing.list_price', 8, 90);
    PERFORM log.make_hash_partitions('promotion.coupon', 8, 90);
END
$$;
