"""What happens because time passed (a job) or because something happened (a reaction). Issues commands; decides nothing itself.

Owns the schema ``jobs``: when each job ran last, and how far each reaction has read the log.
"""
