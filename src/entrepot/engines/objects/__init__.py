"""The objects role: whole files by key, for archives, media and backups."""
