"""What other rooms ask of prices, from the truth; reads only."""

from entrepot.commerce.pricing.store import countries, customer_groups, latest_rates, markets, price_lists

__all__ = ["countries", "customer_groups", "latest_rates", "markets", "price_lists"]
