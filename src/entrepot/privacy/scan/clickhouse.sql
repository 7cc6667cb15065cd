-- name: tables
-- Every table that holds rows, ours and the server's own logs.
SELECT database, name FROM system.tables
WHERE database NOT IN ('INFORMATION_SCHEMA', 'information_schema') AND (database <> 'system' OR name LIKE '%_log')
  AND engine NOT IN ('View', 'Distributed')

-- name: text_columns
-- The columns of a table that hold text.
SELECT name FROM system.columns
WHERE database = {database:String} AND table = {table:String} AND (type LIKE '%String%' OR type LIKE '%JSON%') ORDER BY position

-- name: rows
-- Every row of a table, those too that are deleted and lie on disk still.
SELECT {columns} FROM `{database}`.`{table}` SETTINGS apply_deleted_mask = 0;

-- name: rows_of_a_log
-- Every row of one of the server's logs.
SELECT {columns} FROM `{database}`.`{table}`;
