-- name: moment
-- What time it is there, in milliseconds since 1970 UTC.
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint;
