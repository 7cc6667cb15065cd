"""The sandbox gateway: a payment gateway of our own in a process of its own, for machines that have no account with a real one.

``python -m entrepot.local.gateway --data DIR --port N --key-file F`` serves the folder on loopback until SIGTERM. It moves no
money, takes no card numbers, and does on purpose what real gateways do by accident: chosen by test tokens (``tokens``), it
declines, asks for a challenge, times out after charging, lies about amounts and opens disputes; every webhook comes twice and
out of order. What each token does is in docs/reference/sandbox-gateway.md. Knows nothing of who asks.
"""
