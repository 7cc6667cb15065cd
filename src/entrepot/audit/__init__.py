"""The audit: who did what and who saw whom, when, from where and why; and the proof that nobody has changed it since.

Owns the schema ``audit``: entries, the chain over entries and the log, the roots that are published. Knows no HTTP and no
business: whoever answers a request notes an ``Entry``. docs/reference/audit.md says what the proof is worth, and what not.
"""
