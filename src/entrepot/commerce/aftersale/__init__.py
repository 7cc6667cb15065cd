"""After the order: shipping, cancelling, returning, exchanging, refunding: goods, stock and money move together.

Owns the schema ``aftersale`` (returns under way). Its other events are those of ``ordering``, ``fulfilment``, ``stock`` and
``payment``, which it combines.
"""
