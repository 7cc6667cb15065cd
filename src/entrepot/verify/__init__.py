"""Truth against projection: compares what an engine holds with what PostgreSQL says it must, names each difference, mends it.

It reads the truth and the stores, runs the projections' own pure functions, and writes to a store only to repair it.
"""
