-- What carriers tell by webhook, taken in once; and parcels by the number that they call them by.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Webhooks of carriers that were taken in: unique before any work is done for them.
CREATE TABLE fulfilment.inbox (
    cell integer NOT NULL,
    carrier text NOT NULL,
    event_id text NOT NULL,
    kind text NOT NULL,
    received_at timestamptz NOT NULL,
    done_at timestamptz,
    CONSTRAINT carrier_is_heard_once PRIMARY KEY (cell, carrier, event_id)
);
CREATE INDEX carriers_heard_before ON fulfilment.inbox (cell, received_at);

-- A partitioned table cannot be indexed concurrently; its partitions are a month each.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX parcels_by_number ON fulfilment.parcel (cell, carrier, tracking) WHERE tracking <> '';
