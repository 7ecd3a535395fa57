"""The alphabet, letter by letter: what a sample, a time step, a feature and a carried state are."""
