"""Sequences that a network continues by reading its own symbols: sampled, or found by beam search."""
