"""The stream role: the log's events for readers outside, in topics of a broker."""
