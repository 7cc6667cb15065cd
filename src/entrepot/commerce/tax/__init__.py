"""What of a sale is tax, and whether an engine's answer can be believed. Owns no table: tax is kept with the order."""
