"""Texts: a vocabulary, a Sequential and generation, for learning texts and continuing them.

`model` has TextModel, `learner` what it is while it learns a `lesson`, `growth` how it comes to know more symbols,
`plan` how a text is gone through, `scoring` how well one is predicted beside `baselines` that only count, `generation`
what continues one.
"""

from statewise.text.model import TextModel as TextModel
