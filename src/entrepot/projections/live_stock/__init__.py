"""How many pieces of an article each warehouse has left to sell, for display; what decides a sale is the record."""
