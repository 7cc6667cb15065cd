-- name: keep_for
-- Has the table keep its rows for so many days; those that are older go with the next merges.
ALTER TABLE {table} MODIFY TTL toDateTime(at) + INTERVAL {days} DAY SETTINGS materialize_ttl_after_modify = 0;

-- name: forget
-- Deletes what is known by these sealed ids.
DELETE FROM {table} WHERE who IN {whose:Array(String)};

-- name: purge
-- Leaves nothing on disk of what was deleted.
ALTER TABLE {table} APPLY DELETED MASK SETTINGS mutations_sync = 2;
