"""People who are not there: shoppers and staff who use the HTTP API as real ones would, so that every page has life.

They know nothing that the API does not tell, and touch no engine.
"""
