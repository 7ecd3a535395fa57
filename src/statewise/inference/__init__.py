"""Inference: from user input to network outputs."""
