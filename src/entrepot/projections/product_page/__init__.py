"""What a product's page shows: one document a product, with its prices, and one a category, served as they are stored."""
