"""Orders, returns and the ledger. Owns the schema `ordering`; writes `ordering.*` events."""
