"""Prices per variant, market and currency, price lists beside them, and rates. Owns the schema `pricing`; writes its events."""
