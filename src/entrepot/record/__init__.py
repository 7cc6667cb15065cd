"""The system of record: pool, transaction, append, idempotency, named queries and migrations. Only this room commits.

It knows no business word: the areas of ``commerce/`` bring their own SQL, under names.
"""
