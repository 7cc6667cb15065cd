"""What other rooms ask of prices, from the truth; reads only."""

from entrepot.commerce.pricing.store import markets

__all__ = ["markets"]
