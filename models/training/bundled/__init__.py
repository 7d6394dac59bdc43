"""The training of the bundled detector and embedder."""
