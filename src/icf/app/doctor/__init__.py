"""`icf doctor`."""
