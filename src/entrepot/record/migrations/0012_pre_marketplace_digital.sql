-- Who sells and supplies, what is owed to them and paid; licences and downloads.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- What we owe a supplier for goods that it ships for us.
ALTER TYPE ordering.account ADD VALUE IF NOT EXISTS 'supply' AFTER 'commission';

-- How long after delivery a seller's money is held back, and how many days lie between two payouts at least.
ALTER TABLE marketplace.seller
    ADD COLUMN holdback_days integer NOT NULL DEFAULT 14,
    ADD COLUMN payout_days integer NOT NULL DEFAULT 7;
ALTER TABLE marketplace.seller ADD CONSTRAINT holdback_never_negative CHECK (holdback_days >= 0) NOT VALID;
ALTER TABLE marketplace.seller ADD CONSTRAINT payout_days_never_negative CHECK (payout_days >= 0) NOT VALID;

-- Counts the changes of how a SKU is sold: the version of `catalog.selling_terms_set`.
ALTER TABLE catalog.sku ADD COLUMN terms_version bigint NOT NULL DEFAULT 0;
ALTER TABLE catalog.sku ADD CONSTRAINT sku_is_sold_by_a_known_seller
    FOREIGN KEY (seller_id) REFERENCES marketplace.seller (id) NOT VALID;

-- Where a seller or supplier keeps what it ships, and the last feed of levels that came from there.
CREATE TABLE marketplace.warehouse (
    cell integer NOT NULL,
    code text NOT NULL,
    seller_id uuid NOT NULL,
    feed_sequence bigint NOT NULL DEFAULT 0,
    fed_at timestamptz,
    CONSTRAINT warehouse_has_one_seller PRIMARY KEY (cell, code),
    CONSTRAINT seller_warehouse_is_a_warehouse FOREIGN KEY (cell, code) REFERENCES stock.warehouse (cell, code),
    CONSTRAINT warehouse_of_a_known_seller FOREIGN KEY (seller_id) REFERENCES marketplace.seller (id)
);

CREATE INDEX warehouses_of_a_seller ON marketplace.warehouse (seller_id, cell);

-- What a supplier wants for a piece of what it ships for us.
CREATE TABLE marketplace.supply (
    cell integer NOT NULL,
    warehouse text NOT NULL,
    variant_id uuid NOT NULL,
    cost_minor bigint NOT NULL,
    currency text NOT NULL,
    CONSTRAINT one_supply_per_warehouse_and_variant PRIMARY KEY (cell, warehouse, variant_id),
    CONSTRAINT supply_cost_never_negative CHECK (cost_minor >= 0),
    CONSTRAINT supply_currency_is_iso_4217 CHECK (currency ~ '^[A-Z]{3}$')
);

-- What one seller has to do with one order. `settled_at`: since when all of it has arrived, or is off.
CREATE TABLE marketplace.seller_order (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    seller_id uuid NOT NULL,
    state text NOT NULL,
    placed_at timestamptz NOT NULL,
    settled_at timestamptz,
    version bigint NOT NULL,
    CONSTRAINT one_seller_order_per_order_and_seller PRIMARY KEY (cell, order_id, seller_id),
    CONSTRAINT seller_order_state_is_known CHECK (state IN ('placed', 'part_shipped', 'shipped', 'delivered', 'cancelled')),
    CONSTRAINT settled_seller_order_says_when CHECK ((state IN ('delivered', 'cancelled')) = (settled_at IS NOT NULL))
) PARTITION BY RANGE (order_id);

-- A partitioned table cannot be indexed concurrently; this one is new.
CREATE INDEX orders_of_a_seller ON marketplace.seller_order (cell, seller_id, order_id);

-- What we owe a supplier for a line of an order, and how many of its pieces it has taken back, or never sent.
CREATE TABLE marketplace.supplied (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    line integer NOT NULL,
    seller_id uuid NOT NULL,
    quantity integer NOT NULL,
    back integer NOT NULL DEFAULT 0,
    cost_minor bigint NOT NULL,
    currency text NOT NULL,
    CONSTRAINT one_supplier_per_line PRIMARY KEY (cell, order_id, line),
    CONSTRAINT supplied_back_within_quantity CHECK (back BETWEEN 0 AND quantity)
) PARTITION BY RANGE (order_id);

-- Money on its way to a seller. It is booked when it is done; while it is asked, no other is.
CREATE TABLE marketplace.payout (
    cell integer NOT NULL,
    id uuid NOT NULL,
    seller_id uuid NOT NULL,
    currency text NOT NULL,
    amount_minor bigint NOT NULL,
    state text NOT NULL,
    asked_at timestamptz NOT NULL,
    ended_at timestamptz,
    reference text NOT NULL DEFAULT '',
    reason text NOT NULL DEFAULT '',
    CONSTRAINT payout_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT payout_is_positive CHECK (amount_minor > 0),
    CONSTRAINT payout_state_is_known CHECK (state IN ('asked', 'done', 'failed')),
    CONSTRAINT ended_payout_says_when CHECK ((state = 'asked') = (ended_at IS NULL))
);

CREATE UNIQUE INDEX one_payout_under_way_per_seller_and_currency ON marketplace.payout (cell, seller_id, currency)
    WHERE state = 'asked';
CREATE INDEX payouts_of_a_seller ON marketplace.payout (cell, seller_id, id);

-- The ledger by seller. Partial: what concerns no seller costs the hot path nothing.
-- A partitioned table cannot be indexed concurrently; its partitions are a month each.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX transfers_to_a_seller ON ordering.transfer (cell, credit_party, booked_at) WHERE credit = 'seller';
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX transfers_from_a_seller ON ordering.transfer (cell, debit_party, booked_at) WHERE debit = 'seller';

CREATE SCHEMA digital;

-- What downloads' addresses are signed with; made once per cell.
CREATE TABLE digital.secret (
    cell integer NOT NULL,
    secret bytea NOT NULL,
    CONSTRAINT one_secret_per_cell PRIMARY KEY (cell)
);

-- Counts what is told of a SKU's pool of licences (its events' version), and remembers which file it comes with.
CREATE TABLE digital.article (
    cell integer NOT NULL,
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    licensed boolean NOT NULL,
    object text NOT NULL DEFAULT '',
    file_name text NOT NULL DEFAULT '',
    media_type text NOT NULL DEFAULT '',
    downloads_most integer NOT NULL DEFAULT 0,
    days integer NOT NULL DEFAULT 0,
    version bigint NOT NULL,
    CONSTRAINT one_digital_article_per_variant PRIMARY KEY (cell, variant_id),
    CONSTRAINT downloads_most_never_negative CHECK (downloads_most >= 0)
);

-- A licence: in the pool, handed out to a line of an order, or revoked. Its code is a secret: never in an event.
CREATE TABLE digital.licence (
    cell integer NOT NULL,
    variant_id uuid NOT NULL,
    code text NOT NULL,
    state text NOT NULL DEFAULT 'free',
    order_id uuid,
    line integer,
    CONSTRAINT licence_is_in_one_pool_once PRIMARY KEY (cell, variant_id, code),
    CONSTRAINT licence_state_is_known CHECK (state IN ('free', 'handed_out', 'revoked')),
    CONSTRAINT licence_is_free_or_of_an_order CHECK ((state = 'free') = (order_id IS NULL) AND (order_id IS NULL) = (line IS NULL))
);

CREATE INDEX free_licences ON digital.licence (cell, variant_id) WHERE state = 'free';
CREATE INDEX licences_of_an_order ON digital.licence (cell, order_id, line) WHERE order_id IS NOT NULL;

-- What a line of an order gives a right to: so many licences, or downloads of a file, until a moment.
CREATE TABLE digital.entitlement (
    cell integer NOT NULL,
    order_id uuid NOT NULL,
    line integer NOT NULL,
    variant_id uuid NOT NULL,
    sku text NOT NULL,
    quantity integer NOT NULL,
    revoked integer NOT NULL DEFAULT 0,
    state text NOT NULL,
    object text NOT NULL DEFAULT '',
    file_name text NOT NULL DEFAULT '',
    media_type text NOT NULL DEFAULT '',
    downloads integer NOT NULL DEFAULT 0,
    downloads_most integer NOT NULL DEFAULT 0,
    handed_out_at timestamptz,
    expires_at timestamptz,
    version bigint NOT NULL,
    CONSTRAINT one_entitlement_per_line PRIMARY KEY (cell, order_id, line),
    CONSTRAINT entitlement_state_is_known CHECK (state IN ('waiting', 'handed_out', 'revoked', 'cancelled')),
    CONSTRAINT revoked_within_quantity CHECK (revoked BETWEEN 0 AND quantity),
    CONSTRAINT downloads_within_most CHECK (downloads <= downloads_most)
) PARTITION BY RANGE (order_id);

CREATE INDEX waiting_entitlements ON digital.entitlement (cell, variant_id) WHERE state = 'waiting';
