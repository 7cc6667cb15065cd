"""Import: other people's files become commands, row by row, and every row is accounted for.

Reads Parquet, CSV and JSON Lines in bounded memory; how columns become commands is a mapping file (``mappings/*.toml``).
It writes by commands only, each under an idempotency key made of the source and the row's own name, so that a run can be
cut anywhere and repeated. It must not know any one source: what is peculiar to a file stands in its mapping.
"""
