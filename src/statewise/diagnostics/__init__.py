"""Diagnostics: proofs, reports and pictures of a model."""
