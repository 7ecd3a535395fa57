"""Diagnostics: verification, reports and plots of a model."""
