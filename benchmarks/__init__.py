"""What statewise claims to be fast at, each beside its peers in the same run: `make bench`, `make bench-check`.

`claims` has a short script for each claim, `peers` the same networks in each framework, `harness` what makes them take
turns. docs/benchmarks.md says how to read the figures.
"""
