"""`icf bench`: the tables of the paper, on data of your own."""
