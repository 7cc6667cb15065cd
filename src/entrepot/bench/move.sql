-- name: placed
-- How many orders the log says were placed, and of how many orders that tells.
SELECT count(*) AS events, count(DISTINCT key) AS keys FROM log.event WHERE cell = $1 AND kind = $2;
