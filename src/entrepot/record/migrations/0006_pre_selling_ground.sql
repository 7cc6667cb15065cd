-- The ground of selling: what is reserved, who sells, who is owed, what is taxed; columns that older code need not know.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Warehouses: whose they are and where. What is promised before it is there (backorder, preorder) is a level in a warehouse of
-- that kind, so that no level is ever below zero and the hot path decides both alike.
ALTER TABLE stock.warehouse
    ADD COLUMN kind text NOT NULL DEFAULT 'own',
    ADD COLUMN country text NOT NULL DEFAULT '',
    ADD COLUMN expected_on date;
ALTER TABLE stock.warehouse ADD CONSTRAINT warehouse_kind_is_known
    CHECK (kind IN ('own', 'supplier', 'backorder', 'preorder', 'digital')) NOT VALID;

-- `reserved` is what checkouts hold for a while: pieces on hand are available + reserved.
ALTER TABLE stock.level ADD COLUMN reserved integer NOT NULL DEFAULT 0;
ALTER TABLE stock.level ADD CONSTRAINT reserved_never_negative CHECK (reserved >= 0) NOT VALID;

-- What a checkout holds until it is placed, given back, or its time is over: parallel arrays, one row a checkout.
CREATE TABLE stock.reservation (
    cell integer NOT NULL,
    id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    variants uuid[] NOT NULL,
    warehouses text[] NOT NULL,
    quantities integer[] NOT NULL,
    CONSTRAINT one_reservation_per_checkout PRIMARY KEY (cell, id),
    CONSTRAINT reservation_arrays_are_parallel CHECK (
        cardinality(variants) = cardinality(warehouses) AND cardinality(variants) = cardinality(quantities)
    )
) WITH (fillfactor = 70);

CREATE INDEX reservation_by_end ON stock.reservation (cell, expires_at);

CREATE SCHEMA marketplace;

-- A seller, or a supplier who ships for us. `commission_permille` is our share of what its lines cost.
CREATE TABLE marketplace.seller (
    id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL DEFAULT 'active',
    country text NOT NULL,
    commission_permille integer NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT seller_id_is_unique PRIMARY KEY (id),
    CONSTRAINT seller_code_is_unique UNIQUE (code),
    CONSTRAINT seller_kind_is_known CHECK (kind IN ('marketplace', 'supplier')),
    CONSTRAINT seller_state_is_known CHECK (state IN ('active', 'paused', 'closed')),
    CONSTRAINT commission_is_a_share CHECK (commission_permille BETWEEN 0 AND 1000)
);

-- How a SKU is sold: by whom, how it is taxed and delivered.
ALTER TABLE catalog.sku
    ADD COLUMN seller_id uuid,
    ADD COLUMN tax_class text NOT NULL DEFAULT 'standard',
    ADD COLUMN weight_grams integer NOT NULL DEFAULT 0,
    ADD COLUMN delivery text NOT NULL DEFAULT 'ship';
ALTER TABLE catalog.sku ADD CONSTRAINT sku_delivery_is_known CHECK (delivery IN ('ship', 'digital', 'service')) NOT VALID;
ALTER TABLE catalog.sku ADD CONSTRAINT sku_weight_never_negative CHECK (weight_grams >= 0) NOT VALID;

ALTER TABLE ordering.orders
    ADD COLUMN channel text NOT NULL DEFAULT 'direct',
    ADD COLUMN paid_by text NOT NULL DEFAULT 'open',
    ADD COLUMN company_id uuid,
    ADD COLUMN tax_minor bigint NOT NULL DEFAULT 0;
-- Its wider successor follows in the same transaction.
-- squawk-ignore ban-drop-constraint
ALTER TABLE ordering.orders DROP CONSTRAINT order_state_is_known;
ALTER TABLE ordering.orders ADD CONSTRAINT order_state_is_known
    CHECK (state IN ('placed', 'part_shipped', 'shipped', 'delivered', 'cancelled')) NOT VALID;
ALTER TABLE ordering.orders ADD CONSTRAINT order_is_paid_in_a_known_way
    CHECK (paid_by IN ('open', 'card', 'terms', 'none')) NOT VALID;

-- A partitioned table cannot be indexed concurrently; its partitions are a month each.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX orders_of_a_customer ON ordering.orders (cell, customer_id, id) WHERE customer_id IS NOT NULL;

ALTER TABLE ordering.line
    ADD COLUMN seller_id uuid,
    ADD COLUMN delivery text NOT NULL DEFAULT 'ship',
    ADD COLUMN list_minor bigint,
    ADD COLUMN discount_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN tax_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN commission_minor bigint NOT NULL DEFAULT 0,
    ADD COLUMN shipped integer NOT NULL DEFAULT 0,
    ADD COLUMN cancelled integer NOT NULL DEFAULT 0;
ALTER TABLE ordering.line ADD CONSTRAINT shipped_and_cancelled_within_ordered
    CHECK (shipped >= 0 AND cancelled >= 0 AND shipped + cancelled <= quantity) NOT VALID;
ALTER TABLE ordering.line ADD CONSTRAINT commission_within_amount
    CHECK (commission_minor BETWEEN 0 AND amount_minor) NOT VALID;

-- Its wider successor follows in the same transaction.
-- squawk-ignore ban-drop-constraint
ALTER TABLE ordering.charge DROP CONSTRAINT charge_kind_is_known;
ALTER TABLE ordering.charge ADD CONSTRAINT charge_kind_is_known CHECK (
    kind IN ('postage', 'fee', 'discount', 'adjustment', 'donation', 'sample', 'voucher', 'tax')
) NOT VALID;
-- Its wider successor follows in the same transaction.
-- squawk-ignore ban-drop-constraint
ALTER TABLE ordering.return_charge DROP CONSTRAINT return_charge_kind_is_known;
ALTER TABLE ordering.return_charge ADD CONSTRAINT return_charge_kind_is_known CHECK (
    kind IN ('postage', 'fee', 'discount', 'adjustment', 'donation', 'sample', 'voucher', 'tax')
) NOT VALID;

-- Who an order goes to: the personal part of an order, apart from all else, so that it can be sealed and forgotten by itself.
CREATE TABLE ordering.contact (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    phone text NOT NULL,
    address jsonb NOT NULL,
    CONSTRAINT one_contact_per_order PRIMARY KEY (cell, order_id)
) PARTITION BY RANGE (order_id);

-- What of an order is owed to which tax authority: of a line (`line`), or of a charge (`line` is NULL).
CREATE TABLE ordering.tax_line (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    place integer NOT NULL,
    line integer,
    jurisdiction text NOT NULL,
    name text NOT NULL,
    rate_ppm integer NOT NULL,
    base_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    included boolean NOT NULL,
    CONSTRAINT tax_lines_are_numbered PRIMARY KEY (cell, order_id, place),
    CONSTRAINT tax_rate_is_a_share CHECK (rate_ppm BETWEEN 0 AND 1000000)
) PARTITION BY RANGE (order_id);

-- A transfer may name a party beside the account: which seller, gateway, tax authority or company.
ALTER TABLE ordering.transfer
    ADD COLUMN debit_party text NOT NULL DEFAULT '',
    ADD COLUMN credit_party text NOT NULL DEFAULT '';
-- Its wider successor follows in the same transaction.
-- squawk-ignore ban-drop-constraint
ALTER TABLE ordering.transfer DROP CONSTRAINT transfer_names_two_accounts;
ALTER TABLE ordering.transfer ADD CONSTRAINT transfer_names_two_accounts
    CHECK (debit <> credit OR debit_party <> credit_party) NOT VALID;

CREATE OR REPLACE FUNCTION ordering.charge_account(kind text) RETURNS ordering.account
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (CASE kind WHEN 'postage' THEN 'postage' WHEN 'fee' THEN 'fees' WHEN 'discount' THEN 'discounts' WHEN 'tax' THEN 'tax'
                      WHEN 'voucher' THEN 'discounts' WHEN 'donation' THEN 'donations' ELSE 'adjustments' END)::ordering.account
$$;

CREATE OR REPLACE FUNCTION ordering.ensure_room(first timestamptz, last timestamptz) RETURNS integer
LANGUAGE sql AS $$
    SELECT log.ensure_partitions('ordering.orders', 'month', first, last)
         + log.ensure_partitions('ordering.line', 'month', first, last)
         + log.ensure_partitions('ordering.charge', 'month', first, last)
         + log.ensure_partitions('ordering.contact', 'month', first, last)
         + log.ensure_partitions('ordering.tax_line', 'month', first, last)
         + log.ensure_partitions('ordering.returns', 'month', first, last)
         + log.ensure_partitions('ordering.return_line', 'month', first, last)
         + log.ensure_partitions('ordering.return_charge', 'month', first, last)
         + log.ensure_partitions('ordering.transfer', 'month', first, last)
$$;

-- What may be used only so often, or up to so much: a coupon, a coupon by one customer, a company's credit. Decided like stock.
CREATE TABLE checkout.allowance (
    cell integer NOT NULL,
    name text NOT NULL,
    used bigint NOT NULL DEFAULT 0,
    most bigint NOT NULL,
    CONSTRAINT allowance_name_is_unique PRIMARY KEY (cell, name),
    CONSTRAINT allowance_never_exceeded CHECK (used <= most),
    CONSTRAINT allowance_never_negative CHECK (used >= 0)
) PARTITION BY HASH (name);

DO $$
BEGIN
    PERFORM log.make_hash_partitions('checkout.allowance', 8, 50);
END
$$;

-- The jobs: when each ran last, and how far each reaction has read the log (its cursor moves with what it does).
CREATE SCHEMA jobs;

CREATE TABLE jobs.run (
    name text NOT NULL,
    at timestamptz NOT NULL,
    done bigint NOT NULL,
    seconds double precision NOT NULL,
    error text,
    CONSTRAINT one_row_per_job PRIMARY KEY (name)
) WITH (fillfactor = 50);

CREATE TABLE jobs.cursor (
    cell integer NOT NULL,
    name text NOT NULL,
    txid bigint NOT NULL,
    seq bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_cursor_per_reaction PRIMARY KEY (cell, name)
) WITH (fillfactor = 50);
