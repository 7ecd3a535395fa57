"""Objectives: what training minimizes, and what it reports."""
