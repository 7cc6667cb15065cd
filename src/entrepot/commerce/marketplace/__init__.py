"""Sellers and suppliers: what each has to do with an order, what suppliers have, what is owed to them and paid.

Owns the schema ``marketplace``; writes ``marketplace.*`` events. What is owed is the ledger's account ``seller``: nothing here
keeps a balance beside it. It combines orders, shipments and stock; it never places, ships or refunds.
"""
