"""The published experiments on LSTM networks as short files of code, and the runner that repeats them over seeds.

    statewise recipes
    statewise recipes show alphabet-stateful
    statewise recipes run alphabet-stateful --repeats 30

Each recipe is one module: `alphabet/naive.py` is alphabet-naive. The docstring is its text.
"""
