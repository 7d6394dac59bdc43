"""Download again the pictures of a release that came without them."""
