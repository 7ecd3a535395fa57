"""Training: from one batch's loss to whole epochs, and what watches over them.

`objective` has the loss of a batch, `truncation` how a batch becomes several updates, `programs` whole epochs compiled,
`epochs` their dispatches as an iterator of records, `loop` what surrounds it. `callbacks` and `progress` read records,
`checkpoint` keeps a training in a file, `advice` speaks up where nothing can be learnt.
"""
