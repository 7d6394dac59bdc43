"""Thumbnails of faces: contact sheets, challenges, mean faces, look-alikes."""
