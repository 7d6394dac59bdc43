"""Two releases, or two workspaces, side by side."""
