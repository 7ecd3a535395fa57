"""Text models: a vocabulary, a Sequential and generation, for learning texts and continuing them.

`model` has TextModel and `learner` its base class, which learns a `fit_task`, arranged in batches by a `plan`.
`vocabulary_growth` adds symbols to a trained network, `passage_hashes` recognizes texts it was trained on, `scoring`
measures predictions against `baselines`, and `generation` continues texts.
"""

from statewise.text.model import TextModel as TextModel
