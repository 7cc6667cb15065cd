-- name: append
-- Appends events to a cell's log and returns the position of the last one.
WITH appended AS (
    INSERT INTO log.event (cell, id, at, kind, key, version, body, subject, actor, cause, sealed)
    SELECT $1::integer, e.id, e.at, e.kind, e.key, e.version, e.body::jsonb, e.subject, $9::text, $10::uuid, e.sealed
    FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::uuid[],
                $11::bytea[])
        AS e (id, at, kind, key, version, body, subject, sealed)
    RETURNING seq, txid
)
SELECT max(txid)::text::bigint AS txid, max(seq) AS seq FROM appended;

-- name: become_tenant
-- Makes the transaction a tenant's until it ends, on whatever connection: its role, its sellers, its companies, its keys.
SELECT set_config('entrepot.sellers', $1, true), set_config('entrepot.companies', $2, true), set_config('entrepot.keys', $3, true),
       set_config('role', 'entrepot_tenant', true);
