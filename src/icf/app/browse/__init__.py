"""Look through the catalogue in a browser: albums, characters, faces, and why."""
