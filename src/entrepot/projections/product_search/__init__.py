"""Finding products: what a buyer types, in any language, becomes a list of products, with facets to narrow it.

Owns ``shape.json`` (the index), ``project.py`` (event to item), ``query.py`` (the questions) and how they rank.
"""
