"""`icf release`: one command a file."""
