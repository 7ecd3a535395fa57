"""Random integers to repeat, now or later: how much context an answer needs."""
