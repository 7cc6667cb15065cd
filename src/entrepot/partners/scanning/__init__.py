"""Scanners that know malicious files: `port.py` says what is asked of one, a file per protocol asks it."""
