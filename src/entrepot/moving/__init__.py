"""Moving a role from one engine to another while readers read: where its engine is, building beside, proving, switching.

Owns no table of its own: moves and engines are the log's (``log/moves.py``), for it is generations that are moved.
"""
