"""The same network and the same training in each framework, from the same weights."""
