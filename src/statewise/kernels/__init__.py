"""Kernels of recurrent layers: arrays in, arrays out, no objects.

`reference` states the LSTM's equations and stays for ever; `scan` computes the same faster. So it is with `gru` and
`gru_scan`. `simple` is both: its step is one product.
"""
