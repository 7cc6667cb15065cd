"""Who pays sellers: `port.py` says what a bank must be able to do, a file per bank does it. Knows no order."""
