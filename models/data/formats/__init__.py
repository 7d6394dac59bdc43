"""Other people's formats of training data, a reader a file."""
