"""Training: from one batch's loss to whole epochs, and the callbacks that follow them.

`objective` has the loss of a batch, `truncation` splits a batch into several updates, `programs` compiles whole epochs,
`epochs` dispatches them as an iterator of records, and `loop` runs the iterator. `callbacks` and `progress` read
records, `checkpoint` keeps a training in a file, `fit_warnings` warns where nothing can be learned.
"""
