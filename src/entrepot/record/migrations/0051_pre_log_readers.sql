-- Who reads the log and where: the relay, and each projector, which may read what was relayed instead of the record.
-- transactional: true

SET LOCAL lock_timeout = '2s';
SET LOCAL statement_timeout = '60s';

-- Each says it of itself every few seconds; who has been silent for a while is gone.
CREATE TABLE log.reader (
    cell integer NOT NULL,
    kind text NOT NULL,
    holder text NOT NULL,
    source text NOT NULL,
    why text NOT NULL,
    txid bigint,
    seq bigint,
    seen_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT reader_is_unique PRIMARY KEY (cell, kind, holder),
    CONSTRAINT reader_kind_is_known CHECK (kind IN ('projector', 'relay')),
    CONSTRAINT reader_source_is_known CHECK (source IN ('record', 'stream'))
);
