"""Who may do what to which rows: permissions and roles as data, policies as code, whose each thing is.

Owns the decision and nothing of HTTP: ``api/guard.py`` asks here once for each request. Decides nothing of the business.
"""
