"""How the platform does: requests, latencies, lag, engines and sales over time, as points of a series engine."""
