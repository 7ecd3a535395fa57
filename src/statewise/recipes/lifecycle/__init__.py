"""The five steps define, compile, fit, evaluate and predict, and what state is for."""
