"""The graph role: nodes with their edges to neighbours, walked by Cypher."""
