"""The columns role: typed facts in columns, made to be summed and grouped over millions of rows."""
