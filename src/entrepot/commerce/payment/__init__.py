"""Payments, disputes, kept methods and the inbox of webhooks. Owns the schema `payment`; writes `payment.*` events."""
