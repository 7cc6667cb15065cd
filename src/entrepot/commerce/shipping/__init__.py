"""Where we ship to, how, for how much and by when. Owns the schema `shipping`; writes `shipping.*` events."""
