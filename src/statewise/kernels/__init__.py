"""Kernels of recurrent layers: arrays in, arrays out, no objects.

`lstm` and `gru` state the equations, and tests compare the fast forms, `lstm_fast` and `gru_fast`, with them.
`simple_rnn` needs no other form: its step is one product.
"""
