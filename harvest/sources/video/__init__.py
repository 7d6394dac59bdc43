"""Videos: shots, their sharpest frames, and the faces tracked through them."""
