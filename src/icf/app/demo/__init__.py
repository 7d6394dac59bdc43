"""`icf demo`: the whole line on a small cartoon wiki."""
