"""Buying for a company: buyers with limits, approvals, negotiated prices, orders on net terms, invoices. Owns ``business``.

Writes ``business.*`` events. An order on terms is a checkout like any other that claims the company's credit instead of a
card. How much of it is used is told by ``checkout.allowance``: this room makes it, and gives back what an invoice settles.
"""
