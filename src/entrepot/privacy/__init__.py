"""What a person may ask of us: to see, mend, freeze and forget what is known of them, with a proof that it is forgotten.

Owns ``privacy.erasure``, ``.certificate``, ``.restriction``, ``.found_by``; the keys beside them are ``sealing``'s.
To forget is one transaction that empties rows and destroys keys; what follows clears copies, searches every engine, and signs
what it found.
"""
