"""Inference: from what users pass to what a network answers."""
