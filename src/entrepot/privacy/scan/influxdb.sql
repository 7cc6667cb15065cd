-- What a search of InfluxDB asks, in InfluxQL.

-- name: everything
-- Every point of every measurement of a policy of a database; {place} is made of names that the server has given, quoted.
SELECT * FROM {place}./.*/;
