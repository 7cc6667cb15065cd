"""People: who they are, how they prove it, what they are to whom. Owns the schema ``identity`` and the events ``people.*``.

``Door`` lets people in, ``Sessions`` says who asks, ``commands`` change what is known of somebody. What is personal is sealed
under the person's own key; secrets are kept as hashes. Says nothing of what anybody may do: that is ``access``.
"""
