-- What a streaming replica is asked, and its primary.

-- name: end
-- How far the primary's write-ahead log is now, in bytes, and of which cluster.
SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS at, system_identifier AS cluster FROM pg_control_system();

-- name: replayed
-- How far the replica has come, in bytes, of which cluster, and whether it is a replica at all.
SELECT coalesce(pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0'), 0)::bigint AS at, system_identifier AS cluster,
       pg_is_in_recovery() AS follows
FROM pg_control_system();

-- name: has_seen
-- Whether this snapshot has what a transaction of the primary wrote.
SELECT pg_visible_in_snapshot($1::text::xid8, pg_current_snapshot());
