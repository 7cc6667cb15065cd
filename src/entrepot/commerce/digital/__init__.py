"""Digital goods: licences from a pool, none handed out twice, and downloads by signed address.

Owns the schema ``digital``; writes ``digital.*`` events. Whether a licence is still to be had is decided like any stock, by the
hot path: the level in the warehouse ``digital`` is how many licences of the pool nobody has ordered.
"""
