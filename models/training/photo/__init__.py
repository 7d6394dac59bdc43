"""The judge of photographs: fitted, not trained: a logistic model over features."""
