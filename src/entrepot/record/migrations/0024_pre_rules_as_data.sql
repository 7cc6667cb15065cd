-- Rules of selling as data: where orders come from by market, who bears a lost dispute, when a pool of licences is low.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- How orders of a market are allocated: `allocation` among warehouses of our own, `supplying` among those of suppliers.
-- A market without a row is allocated whole-first, and supplied by the nearest.
CREATE TABLE stock.routing (
    cell integer NOT NULL,
    market text NOT NULL,
    allocation text NOT NULL,
    supplying text NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT one_routing_per_market PRIMARY KEY (cell, market),
    CONSTRAINT allocation_is_known CHECK (allocation IN ('nearest', 'cheapest', 'whole')),
    CONSTRAINT supplying_is_known CHECK (supplying IN ('nearest', 'cheapest', 'fastest', 'priority'))
);

-- In how many days a warehouse hands a parcel over, for the supplier who is fastest.
ALTER TABLE stock.warehouse ADD COLUMN lead_days integer NOT NULL DEFAULT 0;

-- Of a lost dispute a seller bears what its sale left it ('net': our commission goes back too), or all of it ('gross').
ALTER TABLE marketplace.seller ADD COLUMN disputes text NOT NULL DEFAULT 'net';

-- From how few free licences on a pool is low, and whether that was told.
ALTER TABLE digital.article ADD COLUMN low_at integer NOT NULL DEFAULT 10;
ALTER TABLE digital.article ADD COLUMN is_low boolean NOT NULL DEFAULT false;

-- The inbox is pruned from its oldest end. It holds no more than some weeks of webhooks.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX webhooks_by_age ON payment.inbox (cell, received_at);
