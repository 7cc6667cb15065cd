-- Parcels: shipments that a carrier was asked to take, and how far each is.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- When the carrier first said that it has it.
ALTER TABLE fulfilment.shipment ADD COLUMN under_way_at timestamptz;

-- `reference` is what the carrier is asked under: asked again under it, it books nothing more. One that was refused or given up
-- is asked for anew under another.
CREATE TABLE fulfilment.parcel (
    cell integer NOT NULL,
    shipment_id uuid NOT NULL,
    order_id uuid NOT NULL,
    reference uuid NOT NULL,
    carrier text NOT NULL,
    state text NOT NULL,
    tracking text NOT NULL DEFAULT '',
    asked_at timestamptz NOT NULL,
    looked_at timestamptz NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT shipment_is_one_parcel PRIMARY KEY (cell, shipment_id),
    CONSTRAINT parcel_state_is_known CHECK (
        state IN ('asked', 'booked', 'refused', 'given_up', 'under_way', 'delivered', 'lost')
    ),
    CONSTRAINT carried_parcel_has_its_number CHECK (state IN ('asked', 'refused', 'given_up') OR tracking <> '')
) PARTITION BY RANGE (shipment_id);

CREATE INDEX parcels_to_look_at ON fulfilment.parcel (cell, looked_at) WHERE state IN ('asked', 'booked', 'under_way');
