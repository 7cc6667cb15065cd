"""Webhooks: who is told of which events. Owns the schema ``webhook`` and the events ``webhook.*``; sends nothing itself.

Telling them is a job (``entrepot.jobs.webhooks``): it reads the log from each endpoint's position.
"""
