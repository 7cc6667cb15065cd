"""ClickHouse for one machine: chDB in a process of its own, behind the part of ClickHouse's HTTP protocol its clients speak.

``python -m entrepot.local.clickhouse --data DIR --port N [--password-file F]`` serves the folder until SIGTERM. A chDB folder
can be open in one process only, hence the process. Knows no business word and nothing of who asks.

Not served, and refused where it would be noticed: other users than ``default``, external tables, sessions (a session id is
accepted and means nothing: no temporary tables, no remembered ``SET``), compressed answers (any client takes plain ones).
"""
