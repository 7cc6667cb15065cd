-- name: events
-- How many events of these kinds the log's table holds.
SELECT count(*) FROM log.event WHERE kind = ANY ($1::text[]);
