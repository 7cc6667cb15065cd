"""What is bought together with an article: baskets and what was in them as a graph, counted when asked."""
