"""Plans and subscriptions: periods, proration, pauses, renewals and dunning. Owns the schema ``subscription``.

Writes ``subscription.*`` events. A renewal is a checkout like any other: this room decides when and how much, never how.
"""
