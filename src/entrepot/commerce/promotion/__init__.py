"""What is taken off prices: promotions, coupons, and how they stack. Owns the schema `promotion`; writes `promotion.*` events.

How often something may be used is decided in the hot path (`checkout.allowance`), never here: here it is only said.
"""
