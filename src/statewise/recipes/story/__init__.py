"""A fable, word by word: what a network that has memorized a text can and cannot do."""
