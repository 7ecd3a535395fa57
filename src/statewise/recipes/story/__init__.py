"""A fable told word by word: what a network that knows a text by heart can and cannot do."""
