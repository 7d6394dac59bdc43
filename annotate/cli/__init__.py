"""`icf-annotate`: one module per command."""
