"""Other providers of identities: `port.py` says what is asked of one, a file per protocol asks it. Knows no person of ours."""
