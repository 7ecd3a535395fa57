"""What Keras's and PyTorch's words are here: tables of what is not there, each with the line to write instead."""
