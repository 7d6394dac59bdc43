"""What the data set is, as figure 4 of the paper shows it."""
