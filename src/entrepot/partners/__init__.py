"""Partners outside the house: a folder per trade, in it `port.py` (values and a Protocol) and a file per vendor."""
