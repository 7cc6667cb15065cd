-- What allocation, low stock and stocktaking need of stock.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- What a parcel from a warehouse costs us, in minor units of the house's currency: for the rule `cheapest`.
ALTER TABLE stock.warehouse ADD COLUMN parcel_minor bigint NOT NULL DEFAULT 0;
ALTER TABLE stock.warehouse ADD CONSTRAINT parcel_cost_never_negative CHECK (parcel_minor >= 0) NOT VALID;

-- From how few pieces on a variant counts as low; the cell's own default is the row of the nil variant. `low` says that it was told,
-- so that it is told once per crossing.
CREATE TABLE stock.threshold (
    cell integer NOT NULL,
    variant_id uuid NOT NULL,
    pieces integer NOT NULL,
    CONSTRAINT one_threshold_per_variant PRIMARY KEY (cell, variant_id),
    CONSTRAINT threshold_is_a_count CHECK (pieces >= 0)
);

CREATE TABLE stock.low (
    cell integer NOT NULL,
    variant_id uuid NOT NULL,
    low boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT one_row_per_watched_variant PRIMARY KEY (cell, variant_id)
) WITH (fillfactor = 70);
