"""Texts: a vocabulary, a Sequential and generation, for learning a text and continuing it.

`model` has TextModel, `plan` how a text is gone through, `scoring` how well one is foretold beside `baselines` that
only count, `generation` what continues one.
"""

from statewise.text.model import TextModel as TextModel
