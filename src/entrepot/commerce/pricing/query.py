"""What other rooms ask of prices, from the truth; reads only."""

from entrepot.commerce.pricing.store import countries, markets

__all__ = ["countries", "markets"]
