"""The log as it is read: commit order, the projectors' run loop, generations, quarantine and archive.

It reads ``log.event`` and owns the other tables of schema ``log``; it knows no business word and no engine's product, and it
never writes an event: that is ``record/``.
"""
