"""The detector, the embedder, the judge of photographs, and their training."""
