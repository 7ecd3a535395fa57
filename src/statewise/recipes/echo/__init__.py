"""Random integers, to be said again now or later: how much context an answer needs."""
