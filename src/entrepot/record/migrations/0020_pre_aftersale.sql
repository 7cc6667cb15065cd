-- What follows an order: shipments, returns under way, and what was given back of pieces that never left.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

CREATE SCHEMA fulfilment;

-- What one warehouse sends of one order, once. Each moment is when it came into that state.
CREATE TABLE fulfilment.shipment (
    cell integer NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    warehouse text NOT NULL,
    seller_id uuid,
    state text NOT NULL,
    carrier text NOT NULL DEFAULT '',
    tracking text NOT NULL DEFAULT '',
    planned_at timestamptz NOT NULL,
    picked_at timestamptz,
    packed_at timestamptz,
    shipped_at timestamptz,
    delivered_at timestamptz,
    lost_at timestamptz,
    cancelled_at timestamptz,
    version bigint NOT NULL,
    CONSTRAINT shipment_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT shipment_state_is_known CHECK (
        state IN ('planned', 'picked', 'packed', 'shipped', 'delivered', 'lost', 'cancelled')
    ),
    CONSTRAINT shipped_shipment_says_when CHECK (state NOT IN ('shipped', 'delivered', 'lost') OR shipped_at IS NOT NULL)
) PARTITION BY RANGE (id);

-- A partitioned table cannot be indexed concurrently; these are new.
CREATE INDEX shipments_of_an_order ON fulfilment.shipment (cell, order_id);
CREATE INDEX shipments_under_way ON fulfilment.shipment (cell, warehouse, id) WHERE state IN ('planned', 'picked', 'packed');

CREATE TABLE fulfilment.shipment_line (
    cell integer NOT NULL,
    shipment_id uuid NOT NULL,
    line integer NOT NULL,
    sku text NOT NULL,
    variant_id uuid NOT NULL,
    quantity integer NOT NULL,
    CONSTRAINT one_row_per_line_of_a_shipment PRIMARY KEY (cell, shipment_id, line),
    CONSTRAINT shipped_quantity_never_negative CHECK (quantity >= 0)
) PARTITION BY RANGE (shipment_id);

-- Pieces that were sold by promise (backorder, preorder) and wait for a receipt, the oldest order first (ids begin with the moment).
CREATE TABLE fulfilment.waiting (
    cell integer NOT NULL,
    variant_id uuid NOT NULL,
    order_id uuid NOT NULL,
    line integer NOT NULL,
    sku text NOT NULL,
    seller_id uuid,
    warehouse text NOT NULL,
    quantity integer NOT NULL,
    CONSTRAINT one_row_per_waiting_line PRIMARY KEY (cell, variant_id, order_id, line),
    CONSTRAINT waiting_quantity_is_positive CHECK (quantity > 0)
) WITH (fillfactor = 70);

CREATE INDEX waiting_lines_of_an_order ON fulfilment.waiting (cell, order_id);

CREATE SCHEMA aftersale;

-- A return under way, from the wish to its end. When it is settled, `ordering.returns` has the return of the same id.
CREATE TABLE aftersale.return_case (
    cell integer NOT NULL,
    id uuid NOT NULL,
    order_id uuid NOT NULL,
    customer_id uuid,
    state text NOT NULL,
    reason text NOT NULL,
    note text NOT NULL DEFAULT '',
    requested_at timestamptz NOT NULL,
    received_at timestamptz,
    inspected_at timestamptz,
    ended_at timestamptz,
    refunded_minor bigint NOT NULL DEFAULT 0,
    exchange_order_id uuid,
    version bigint NOT NULL,
    CONSTRAINT return_case_id_is_unique PRIMARY KEY (cell, id),
    CONSTRAINT return_case_state_is_known CHECK (
        state IN ('requested', 'received', 'inspected', 'refunded', 'exchanged', 'rejected')
    ),
    CONSTRAINT ended_return_case_says_when CHECK ((state IN ('refunded', 'exchanged', 'rejected')) = (ended_at IS NOT NULL))
) PARTITION BY RANGE (id);

CREATE INDEX return_cases_of_an_order ON aftersale.return_case (cell, order_id);
CREATE INDEX return_case_of_an_exchange ON aftersale.return_case (cell, exchange_order_id) WHERE exchange_order_id IS NOT NULL;

CREATE TABLE aftersale.return_case_line (
    cell integer NOT NULL,
    case_id uuid NOT NULL,
    line integer NOT NULL,
    requested integer NOT NULL,
    received integer NOT NULL DEFAULT 0,
    restocked integer NOT NULL DEFAULT 0,
    written_off integer NOT NULL DEFAULT 0,
    refused integer NOT NULL DEFAULT 0,
    CONSTRAINT one_row_per_line_of_a_return_case PRIMARY KEY (cell, case_id, line),
    CONSTRAINT received_within_requested CHECK (received BETWEEN 0 AND requested),
    CONSTRAINT inspected_within_received CHECK (
        restocked >= 0 AND written_off >= 0 AND refused >= 0 AND restocked + written_off + refused <= received
    )
) PARTITION BY RANGE (case_id);

-- Which SKU a variant is: what watches levels names it.
-- A partitioned table cannot be indexed concurrently; its partitions are small.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX sku_of_a_variant ON catalog.sku (variant_id);

-- What was given back: pieces that returned, or that were cancelled before they left.
ALTER TABLE ordering.returns ADD COLUMN kind text NOT NULL DEFAULT 'returned';
ALTER TABLE ordering.returns ADD CONSTRAINT given_back_for_a_known_kind CHECK (kind IN ('returned', 'cancelled')) NOT VALID;

-- Every table that is cut by months of its UUIDv7 gets room, so that a room that adds one needs to tell nobody. (The log's own are
-- cut by days, and an engine that lives in the same database looks after its own.)
CREATE OR REPLACE FUNCTION ordering.ensure_room(first timestamptz, last timestamptz) RETURNS integer
LANGUAGE sql AS $$
    SELECT coalesce(sum(log.ensure_partitions(p.partrelid::regclass, 'month', first, last)), 0)::integer
    FROM pg_partitioned_table AS p
    JOIN pg_class AS c ON c.oid = p.partrelid
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    JOIN pg_attribute AS a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
    WHERE p.partstrat = 'r' AND a.atttypid = 'uuid'::regtype
      AND n.nspname IN ('ordering', 'checkout', 'payment', 'fulfilment', 'aftersale', 'business', 'subscription', 'marketplace',
                        'digital', 'cart', 'webhook')
$$;
