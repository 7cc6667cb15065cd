"""Stock per variant and warehouse. Owns the schema `stock`; writes `stock.*` events."""
