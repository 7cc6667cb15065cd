"""What other rooms ask of stock, from the truth; reads only."""

from entrepot.commerce.stock import store

__all__ = ["low"]

low = store.low
