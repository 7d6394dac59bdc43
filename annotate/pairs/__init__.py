"""Questions about pairs of faces: one at a time, or a grid of one character."""
