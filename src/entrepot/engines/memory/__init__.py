"""The memory role: small items that are read many at a time, and a cache whose entries expire or are taken away."""
