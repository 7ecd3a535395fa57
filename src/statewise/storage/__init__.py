"""Storage: the model file and what is in it."""
