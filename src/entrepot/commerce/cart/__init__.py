"""Carts: what a buyer has chosen and not yet ordered. Kept as bytes in a drawer (Redis), not in the record: nothing is decided
by a cart, it reserves no stock and holds no price; checkout asks the truth. Writes `cart.abandoned.v1`.

Whoever knows a cart's id owns it; so neither the drawer, nor the log, nor any event holds it, only its ``reference``.
"""
