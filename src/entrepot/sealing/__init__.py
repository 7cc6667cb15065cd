"""What is personal is sealed under a key of its person's own: to destroy that key is to forget the person, in every copy.

A key-encryption key outside (``partners/keys``) closes a few ring keys (``privacy.ring_key``), these close a key per subject
(``privacy.person_key``), and that seals fields. Knows no order and no address: only subjects, fields and text. It must never
write down, log or raise what it has opened. ``datamap`` is the one declaration of what is personal.
"""
