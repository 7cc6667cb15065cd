"""What other rooms ask of prices, from the truth; reads only."""

from entrepot.commerce.pricing.store import countries, latest_rates, markets, price_lists

__all__ = ["countries", "latest_rates", "markets", "price_lists"]
