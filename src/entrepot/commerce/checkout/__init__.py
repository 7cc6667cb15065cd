"""Checkout: the one room that combines areas. Places orders on the hot path; cancels and takes back, giving stock back.

Owns the schema ``checkout`` (the hot path's function); its events are those of ``ordering`` and ``stock``.
"""
