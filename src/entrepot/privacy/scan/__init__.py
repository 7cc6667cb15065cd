"""Searches every byte that every engine gives away for what must be gone. Independent: it uses no store of ours and no query.

It reads as a thief would: dumps, keys, files. It knows no table by name, so that one that is added tomorrow is searched too.
It must never tell a value: a finding names the place, which of the values it was, and in which form.
"""
