"""Closed months of the ledger: the trial balance is drawn, signed by its digest, and nothing is booked into them any more.

Owns the schema `closing`, whose trigger stands behind `ordering.transfer`; books nothing itself.
"""
