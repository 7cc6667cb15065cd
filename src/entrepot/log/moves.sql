-- The queries about moves: which engines they have named, how far they are, and the one transaction that switches.

-- name: only_one
-- Lets one at a time change what moves are under way.
SELECT pg_advisory_xact_lock(hashtextextended('log.move', 0));

-- name: live_engines
-- The engine of each role that was ever moved.
SELECT id, role, product, address, url_sealed, one_writer FROM log.engine WHERE live ORDER BY role;

-- name: engine
-- One engine by its id.
SELECT id, role, product, address, url_sealed, one_writer FROM log.engine WHERE id = $1;

-- name: engines_in_use
-- Engines that readers read, or that hold something of ours until it is dropped; those that are read first.
SELECT id, role, product, address, url_sealed, one_writer FROM log.engine AS e
WHERE live OR EXISTS (SELECT FROM log.generation AS g WHERE g.engine = e.id AND g.state <> 'dropped')
ORDER BY role, live DESC, id;

-- name: add_engine
-- Makes an engine known, by a URL that is sealed.
INSERT INTO log.engine (id, role, product, address, url_sealed, one_writer, live) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: settle_generations
-- Says of what lies in the engine that the environment names where it lies, whatever environments will say.
UPDATE log.generation SET engine = $1 WHERE projection = ANY ($2::text[]) AND engine IS NULL;

-- name: moves
-- Moves with both their engines, the newest first.
SELECT m.id, m.role, m.state, m.began_by, m.began_at, m.switched_by, m.switched_at, m.ended_by, m.ended_at, m.proof,
       f.id AS from_id, f.product AS from_product, f.address AS from_address,
       t.id AS to_id, t.product AS to_product, t.address AS to_address
FROM log.move AS m
JOIN log.engine AS f ON f.id = m.from_engine
JOIN log.engine AS t ON t.id = m.to_engine
WHERE ($1::text IS NULL OR m.role = $1) AND (NOT $2 OR m.state IN ('building', 'switched'))
ORDER BY m.began_at DESC
LIMIT $3;

-- name: next_generations
-- The number that the next generation of each projection would have.
SELECT projection, max(generation) + 1 AS generation FROM log.generation
WHERE projection = ANY ($1::text[]) GROUP BY projection;

-- name: add_move
-- Begins a move.
INSERT INTO log.move (id, role, from_engine, to_engine, state, began_by) VALUES ($1, $2, $3, $4, 'building', $5);

-- name: add_beside
-- Adds the generation that is built in the other engine, under the number that was looked up before.
INSERT INTO log.generation (projection, generation, version, shards, state, engine)
SELECT $1, $2::integer, $3, $4, 'beside', $5 FROM log.generation WHERE projection = $1 HAVING max(generation) + 1 = $2::integer
RETURNING generation;

-- name: beside
-- What lies beside in an engine.
SELECT projection, generation FROM log.generation WHERE state = 'beside' AND engine = $1 ORDER BY projection;

-- name: is_behind
-- Whether a generation beside lacks an event that the live one has, of any cell; by events, for positions move without them.
SELECT EXISTS (
    SELECT FROM log.generation AS b
    JOIN log.generation AS l ON l.projection = b.projection AND l.state = 'live'
    JOIN log.progress AS has ON has.projection = l.projection AND has.generation = l.generation
    CROSS JOIN LATERAL generate_series(0, b.shards - 1) AS s (shard)
    LEFT JOIN log.progress AS p
        ON p.projection = b.projection AND p.generation = b.generation AND p.cell = has.cell AND p.shard = s.shard
    WHERE b.state = 'beside' AND b.engine = $1
        AND (p.txid IS NULL OR EXISTS (
            SELECT FROM log.event AS e
            WHERE e.cell = has.cell AND (e.txid, e.seq) > (p.txid::text::xid8, p.seq)
                AND (e.txid, e.seq) <= (has.txid::text::xid8, has.seq)
        ))
);

-- name: exchange
-- Makes live what lies beside in one engine, and lets what was live be beside: one statement, so no reader finds none.
WITH chosen AS (
    SELECT projection, generation FROM log.generation WHERE state = 'beside' AND engine = $1
), exchanged AS (
    UPDATE log.generation AS g
    SET state = CASE WHEN g.generation = c.generation THEN 'live' ELSE 'beside' END,
        live_at = CASE WHEN g.generation = c.generation THEN now() ELSE g.live_at END
    FROM chosen AS c
    WHERE g.projection = c.projection AND (g.state = 'live' OR g.generation = c.generation)
    RETURNING g.projection, g.generation, g.state
)
UPDATE log.projection AS p SET live = e.generation FROM exchanged AS e WHERE p.name = e.projection AND e.state = 'live'
RETURNING p.name;

-- name: is_read_no_more
-- Takes from a role's engine that new generations are made there.
UPDATE log.engine SET live = false WHERE id = $1;

-- name: is_read
-- Says that new generations of its role are made in an engine.
UPDATE log.engine SET live = true WHERE id = $1;

-- name: note_switch
-- Says that readers were switched to the new engine, by whom, and with what proof.
UPDATE log.move SET state = 'switched', switched_by = $2, switched_at = now(), proof = $3::json WHERE id = $1;

-- name: note_back
-- Says that readers were switched back.
UPDATE log.move SET state = 'building' WHERE id = $1;

-- name: note_end
-- Ends a move: finished, or given up.
UPDATE log.move SET state = $2, ended_by = $3, ended_at = now() WHERE id = $1;

-- name: retire_beside
-- Feeds what lies beside in an engine no more, so that it is dropped.
UPDATE log.generation SET state = 'retired', retired_at = now() WHERE state = 'beside' AND engine = $1;

-- name: versions_beside
-- Projections whose generation beside is of another version than the live one.
SELECT b.projection FROM log.generation AS b
JOIN log.generation AS l ON l.projection = b.projection AND l.state = 'live' AND l.version <> b.version
WHERE b.state = 'beside' AND b.engine = $1;

-- name: tell
-- Tells every process that generations have changed.
SELECT pg_notify('log_generation', $1);

-- name: slots_of
-- How far each slot of a generation is.
SELECT cell, shard, txid, seq FROM log.progress WHERE projection = $1 AND generation = $2;
