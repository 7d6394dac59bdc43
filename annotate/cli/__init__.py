"""`icf-annotate`: one module for each of its commands."""
