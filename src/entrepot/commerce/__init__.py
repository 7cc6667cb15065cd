"""The business, a room per area; siblings never import each other, ``checkout`` alone combines them."""
