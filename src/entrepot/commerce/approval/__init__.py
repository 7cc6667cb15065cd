"""Two people for what is large: limits, deeds that wait for another's word, and the change log of financial terms.

Owns the schema `approval`. It lies below the other areas, which ask it before they act; it knows none of them.
"""
