-- The queries about the generations of projections: which there are, and the one statement that switches.

-- name: add_projection
-- Makes a projection known.
INSERT INTO log.projection (name) VALUES ($1) ON CONFLICT (name) DO NOTHING;

-- name: first_generation
-- Gives a projection that has none its first generation, live from the start, in the engine that its role was moved to.
WITH first AS (
    INSERT INTO log.generation (projection, generation, version, shards, state, live_at, engine)
    SELECT $1, 1, $2, CASE WHEN e.one_writer THEN 1 ELSE $3::integer END, 'live', now(), e.id
    FROM (VALUES ($4::text)) AS r (role)
    LEFT JOIN log.engine AS e ON e.role = r.role AND e.live
    WHERE NOT EXISTS (SELECT FROM log.generation WHERE projection = $1)
    ON CONFLICT (projection, generation) DO NOTHING
    RETURNING generation
)
UPDATE log.projection SET live = first.generation FROM first WHERE name = $1
RETURNING live;

-- name: abandon_older_building
-- Gives up a building generation whose version the code has outgrown.
UPDATE log.generation SET state = 'retired', retired_at = now()
WHERE projection = $1 AND state = 'building' AND version < $2;

-- name: is_outgrown
-- Whether every generation in use is of an older version than the code.
SELECT max(version) < $2 FROM log.generation WHERE projection = $1 AND state IN ('live', 'building');

-- name: add_building
-- Starts a generation beside the live one, in the same engine; one at a time, which the schema enforces.
INSERT INTO log.generation (projection, generation, version, shards, state, engine)
SELECT $1, n.number, $2, CASE WHEN e.one_writer THEN 1 ELSE $3::integer END, 'building', g.engine
FROM (SELECT max(generation) + 1 AS number FROM log.generation WHERE projection = $1) AS n
LEFT JOIN log.generation AS g ON g.projection = $1 AND g.state = 'live'
LEFT JOIN log.engine AS e ON e.id = g.engine
WHERE n.number IS NOT NULL
RETURNING generation;

-- name: tell_generation
-- Tells every process that the generations of a projection have changed.
SELECT pg_notify('log_generation', $1);

-- name: generations
-- The generations of these projections in one of these states.
SELECT projection, generation, version, shards, state, live_at, retired_at, engine
FROM log.generation
WHERE projection = ANY ($1::text[]) AND state = ANY ($2::text[])
ORDER BY state DESC, projection, generation;

-- name: switch
-- Makes a building generation live if all its slots have passed all of the old one's: one statement, so no reader finds none.
WITH caught_up AS (
    SELECT (SELECT count(*) FROM log.progress WHERE projection = $1 AND generation = $2) >= $3::integer
        AND NOT EXISTS (
            SELECT FROM log.generation AS g
            JOIN log.progress AS old ON old.projection = g.projection AND old.generation = g.generation
            JOIN log.progress AS new ON new.projection = $1 AND new.generation = $2 AND new.cell = old.cell
            WHERE g.projection = $1 AND g.state = 'live' AND (new.txid, new.seq) < (old.txid, old.seq)
        ) AS yes
), switched AS (
    UPDATE log.generation AS g
    SET state = CASE WHEN g.generation = $2 THEN 'live' ELSE 'retired' END,
        live_at = CASE WHEN g.generation = $2 THEN now() ELSE g.live_at END,
        retired_at = CASE WHEN g.generation = $2 THEN NULL ELSE now() END
    FROM caught_up AS c
    WHERE c.yes AND g.projection = $1 AND (g.state = 'live' OR g.generation = $2)
        AND EXISTS (SELECT FROM log.generation WHERE projection = $1 AND generation = $2 AND state = 'building')
    RETURNING g.generation
)
UPDATE log.projection AS p SET live = $2 FROM switched AS s
WHERE p.name = $1 AND s.generation = $2
RETURNING pg_notify('log_generation', p.name);

-- name: expired_generations
-- Retired generations of these projections that no reader can still hold.
SELECT projection, generation, engine FROM log.generation
WHERE projection = ANY ($1::text[]) AND state = 'retired' AND retired_at < now() - make_interval(secs => $2);

-- name: forget_generation
-- Marks a generation dropped and takes its progress and quarantine away.
WITH dropped AS (
    UPDATE log.generation SET state = 'dropped' WHERE projection = $1 AND generation = $2 AND state = 'retired'
    RETURNING projection, generation
), unparked AS (
    DELETE FROM log.quarantine AS q USING dropped AS d WHERE q.projection = d.projection AND q.generation = d.generation
)
DELETE FROM log.progress AS p USING dropped AS d WHERE p.projection = d.projection AND p.generation = d.generation;
