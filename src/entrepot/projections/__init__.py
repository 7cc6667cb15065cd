"""A room per question: each folds events into items for one engine, and asks that engine."""
