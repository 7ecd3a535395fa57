"""Models: what a user defines, compiles, fits, evaluates and predicts with."""
