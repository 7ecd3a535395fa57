"""How claims are measured: contenders in processes of their own, by turns, compared by ratio.

`claim` is what a claim's script writes down, `contender` one side's process, `driver` the turns they take, `figures`
the arithmetic, `agreement` whether they did the same work, `outcome` what is kept of it, `table` the table of
docs/benchmarks.md, `summary` that of the README, `check` the comparison with what was kept.
"""
