"""Which models a workspace has, which of them it uses, and where their files are."""
