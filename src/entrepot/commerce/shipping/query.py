"""What other rooms ask of shipping, from the truth; reads only."""

from entrepot.commerce.shipping.store import methods, zones

__all__ = ["methods", "zones"]
