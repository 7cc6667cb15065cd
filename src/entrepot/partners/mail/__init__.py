"""Who carries letters: `port.py` says what a carrier must be able to do, a file per kind does it. Knows no person."""
