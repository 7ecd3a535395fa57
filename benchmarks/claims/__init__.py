"""The claims, one a file: each has a `CLAIM`."""
