"""What shoppers look at, search for and put into their carts: taken in, kept in the columns engine, and asked about.

Owns the events that ``POST /v1/collect`` takes, the form in which each may be kept, and the questions asked of them. These are
no facts of the business: nothing is decided by them, they are in no log, and what is lost with the columns engine is lost.
"""
