"""Who reckons tax: `port.py` says what an engine must be able to do, a file per engine does it. Knows no cart and no order."""
