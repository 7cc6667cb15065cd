"""The search role: text in many languages, filters, facets, paging; ``port.py`` is what every product must answer."""
