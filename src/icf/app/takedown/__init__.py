"""`icf takedown`."""
