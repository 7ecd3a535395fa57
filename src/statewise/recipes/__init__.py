"""The published experiments on LSTM networks as short files of code, and what runs them over many seeds.

    statewise recipes
    statewise recipes show alphabet-stateful
    statewise recipes run alphabet-stateful --repeats 30

Each recipe is a module of its own: `alphabet/naive.py` is alphabet-naive. Its docstring is its text.
"""
