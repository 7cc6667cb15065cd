"""The documents role: bodies kept whole and read by id, as they are served."""
