"""Those who subscribe to our events: a port, and HTTP behind it."""
