"""Storage: model files and what is in them."""
