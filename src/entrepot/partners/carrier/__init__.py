"""Who carries parcels: `port.py` says what a carrier must be able to do, a file per carrier does it. Knows no order."""
