-- name: events
-- How many events a cell's log has.
SELECT count(*) FROM log.event WHERE cell = $1;
