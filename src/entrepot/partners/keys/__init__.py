"""Who keeps the key-encryption key: `port.py` says what a keeper can be asked, a file per keeper does it. Knows no person."""
