"""Keeps pytest away from the generators: they run in environments of their own, with Keras or PyTorch."""

collect_ignore_glob = ["make_*.py"]
