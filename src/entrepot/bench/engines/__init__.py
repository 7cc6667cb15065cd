"""The same work on every product of a role, in one run: `entrepot bench engines`."""
