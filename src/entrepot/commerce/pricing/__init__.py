"""Prices per variant, market and currency. Owns the schema `pricing`; writes `pricing.*` events."""
