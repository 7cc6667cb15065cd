"""HTTP: parse, one command or one query, reply. Owns the routes under ``/v1`` and what surrounds them; decides nothing."""
