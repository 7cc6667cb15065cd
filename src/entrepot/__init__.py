"""Entrepôt: the data platform of a global marketplace. One log of truth; every other engine is a projection of it."""

__version__ = "0.1.0"
