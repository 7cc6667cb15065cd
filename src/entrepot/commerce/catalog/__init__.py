"""The catalogue: products, variants, texts, categories. Owns the schema `catalog`; writes `catalog.*` events."""
