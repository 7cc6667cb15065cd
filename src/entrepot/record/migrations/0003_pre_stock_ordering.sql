-- Stock, orders, returns and the ledger: the tables that the hot path writes, each led by its cell.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA stock;

CREATE TABLE stock.warehouse (
    cell integer NOT NULL,
    code text NOT NULL,
    rank integer NOT NULL,
    CONSTRAINT warehouse_code_is_unique PRIMARY KEY (cell, code)
);

-- `available` is what a sale may still take. Half of each page is left free, so that a sale updates in place (HOT).
CREATE TABLE stock.level (
    cell integer NOT NULL,
    variant_id uuid NOT NULL,
    warehouse text NOT NULL,
    available integer NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT one_level_per_variant_and_warehouse PRIMARY KEY (cell, variant_id, warehouse),
    CONSTRAINT level_in_a_warehouse FOREIGN KEY (cell, warehouse) REFERENCES stock.warehouse (cell, code),
    CONSTRAINT stock_never_negative CHECK (available >= 0)
) PARTITION BY HASH (variant_id);

DO $$
BEGIN
    PERFORM log.make_hash_partitions('stock.level', 8, 50);
END
$$;

CREATE SCHEMA ordering;

CREATE TYPE ordering.account AS ENUM (
    'receivable', 'sales', 'sales_returns', 'postage', 'fees', 'discounts', 'adjustments', 'donations'
);

-- Which account a charge of this kind is booked on.
CREATE FUNCTION ordering.charge_account(kind text) RETURNS ordering.account
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (CASE kind WHEN 'postage' THEN 'postage' WHEN 'fee' THEN 'fees' WHEN 'discount' THEN 'discounts'
                      WHEN 'voucher' THEN 'discounts' WHEN 'donation' THEN 'donations' ELSE 'adjustments' END)::ordering.account
$$;

CREATE TABLE ordering.orders (
    cell integer NOT NULL,
    id uuid NOT NULL,
    state text NOT NULL,
    customer_id uuid,
    market text NOT NULL,
    country text NOT NULL,
    currency text NOT NULL,
    placed_at timestamptz NOT NULL,
    goods_minor bigint NOT NULL,
    charges_minor bigint NOT NULL,
    total_minor bigint NOT NULL,
    cancelled_at timestamptz,
    cancelled_for text,
    version bigint NOT NULL,
    CONSTRAINT order_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT order_state_is_known CHECK (state IN ('placed', 'cancelled')),
    CONSTRAINT order_currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT order_total_is_goods_plus_charges CHECK (total_minor = goods_minor + charges_minor),
    CONSTRAINT cancelled_order_says_when_and_why CHECK (
        (state = 'cancelled') = (cancelled_at IS NOT NULL AND cancelled_for IS NOT NULL)
    )
) PARTITION BY RANGE (id);

CREATE TABLE ordering.line (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    line integer NOT NULL,
    product_id uuid NOT NULL,
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    category_id uuid,
    warehouse text NOT NULL,
    quantity integer NOT NULL,
    returned integer NOT NULL DEFAULT 0,
    unit_minor bigint NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT order_lines_are_numbered PRIMARY KEY (cell, order_id, line),
    CONSTRAINT line_of_an_order FOREIGN KEY (cell, order_id) REFERENCES ordering.orders (cell, id),
    CONSTRAINT line_quantity_is_positive CHECK (quantity > 0),
    CONSTRAINT line_amount_never_negative CHECK (amount_minor >= 0),
    CONSTRAINT returned_within_ordered CHECK (returned BETWEEN 0 AND quantity)
) PARTITION BY RANGE (order_id);

CREATE TABLE ordering.charge (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    charge integer NOT NULL,
    kind text NOT NULL,
    amount_minor bigint NOT NULL,
    note text NOT NULL,
    CONSTRAINT order_charges_are_numbered PRIMARY KEY (cell, order_id, charge),
    CONSTRAINT charge_of_an_order FOREIGN KEY (cell, order_id) REFERENCES ordering.orders (cell, id),
    CONSTRAINT charge_kind_is_known CHECK (
        kind IN ('postage', 'fee', 'discount', 'adjustment', 'donation', 'sample', 'voucher')
    )
) PARTITION BY RANGE (order_id);

CREATE TABLE ordering.returns (
    cell integer NOT NULL,
    id uuid NOT NULL,
    order_id uuid,
    customer_id uuid,
    market text NOT NULL,
    country text NOT NULL,
    currency text NOT NULL,
    returned_at timestamptz NOT NULL,
    reason text NOT NULL,
    restocked boolean NOT NULL,
    total_minor bigint NOT NULL,
    CONSTRAINT return_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT return_of_an_order FOREIGN KEY (cell, order_id) REFERENCES ordering.orders (cell, id)
) PARTITION BY RANGE (id);

CREATE INDEX returns_of_an_order ON ordering.returns (cell, order_id);

CREATE TABLE ordering.return_line (
    cell integer NOT NULL,
    return_id uuid NOT NULL,
    line integer NOT NULL,
    product_id uuid NOT NULL,
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    category_id uuid,
    warehouse text NOT NULL,
    quantity integer NOT NULL,
    unit_minor bigint NOT NULL,
    amount_minor bigint NOT NULL,
    CONSTRAINT return_lines_are_numbered PRIMARY KEY (cell, return_id, line),
    CONSTRAINT line_of_a_return FOREIGN KEY (cell, return_id) REFERENCES ordering.returns (cell, id),
    CONSTRAINT return_quantity_is_positive CHECK (quantity > 0),
    CONSTRAINT return_amount_never_negative CHECK (amount_minor >= 0)
) PARTITION BY RANGE (return_id);

CREATE TABLE ordering.return_charge (
    cell integer NOT NULL,
    return_id uuid NOT NULL,
    charge integer NOT NULL,
    kind text NOT NULL,
    amount_minor bigint NOT NULL,
    note text NOT NULL,
    CONSTRAINT return_charges_are_numbered PRIMARY KEY (cell, return_id, charge),
    CONSTRAINT charge_of_a_return FOREIGN KEY (cell, return_id) REFERENCES ordering.returns (cell, id),
    CONSTRAINT return_charge_kind_is_known CHECK (
        kind IN ('postage', 'fee', 'discount', 'adjustment', 'donation', 'sample', 'voucher')
    )
) PARTITION BY RANGE (return_id);

-- The ledger. A transfer names both accounts, so every set of transfers sums to zero by construction.
CREATE TABLE ordering.transfer (
    cell integer NOT NULL,
    id uuid NOT NULL,
    about_id uuid NOT NULL,
    debit ordering.account NOT NULL,
    credit ordering.account NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    booked_at timestamptz NOT NULL,
    CONSTRAINT transfer_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT transfer_names_two_accounts CHECK (debit <> credit),
    CONSTRAINT transfer_amount_is_positive CHECK (amount_minor > 0)
) PARTITION BY RANGE (id);

-- Makes room for orders placed between two moments, and for the events of the days around now.
CREATE FUNCTION ordering.ensure_room(first timestamptz, last timestamptz) RETURNS integer
LANGUAGE sql AS $$
    SELECT log.ensure_partitions('ordering.orders', 'month', first, last)
         + log.ensure_partitions('ordering.line', 'month', first, last)
         + log.ensure_partitions('ordering.charge', 'month', first, last)
         + log.ensure_partitions('ordering.returns', 'month', first, last)
         + log.ensure_partitions('ordering.return_line', 'month', first, last)
         + log.ensure_partitions('ordering.return_charge', 'month', first, last)
         + log.ensure_partitions('ordering.transfer', 'month', first, last)
$$;
