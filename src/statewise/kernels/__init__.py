"""LSTM kernels: arrays in, arrays out, no objects.

`reference` states the equations and stays for ever; `scan` computes the same faster. Both take and return
`(y, (h, c))` with the gate order of `GATES`.
"""
