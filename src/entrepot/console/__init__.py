"""The console: pages over queries and buttons over commands, rendered on the server; works without script, better with it.

Owns the templates and the static files. It decides nothing and knows no SQL: what a page shows comes from the rooms below.
"""
